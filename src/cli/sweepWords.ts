import { isMeasured } from "../core/analysis/sweep/sweepPoint.js";
import type { SweepResult } from "../core/analysis/sweep/sweepResult.js";
import { valueAt } from "../core/config/parseConfig.js";

/** `meta-llama/Llama-3.1-8B-Instruct on 1 × H100, vLLM 0.11`, as far as all points have it in common. */
export function sweptServer({ config }: Pick<SweepResult, "config">): string {
  const text = (path: string, varied: string): string => String(valueAt(config, path.split(".")) ?? varied);
  const [gpu, size] = [valueAt(config, ["gpu"]), valueAt(config, ["engine", "tensorParallelSize"])];
  const gpus =
    gpu !== undefined && size !== undefined
      ? `${String(size)} × ${String(gpu)}`
      : `${text("gpu", "several GPUs")} at ${size === undefined ? "several TP sizes" : `TP ${String(size)}`}`;
  return `${text("model", "several models")} on ${gpus}, vLLM ${text("engine.vllmVersion", "of several versions")}`;
}

/** The same with the name of the workload, where it has one. */
export function sweptServerAndWorkload(result: Pick<SweepResult, "config">, workload: string | null): string {
  return `${sweptServer(result)}${workload === null ? "" : `, workload ${workload}`}`;
}

/** `10 points × 3 seeds, 1 failed`; `12 points, GuideLLM's sweep profile and 2 beyond it`. */
export function sweptPoints({ grid, points }: Pick<SweepResult, "grid" | "points">): string {
  const numProbes = points.filter(({ isProbe }) => isProbe).length;
  const beyond = numProbes === 0 ? "" : ` and ${numProbes} beyond it`;
  const loads = grid.guidellmSize === null ? "" : `, GuideLLM's sweep profile${beyond}`;
  const numFailed = points.filter((point) => !isMeasured(point)).length;
  const failed = numFailed === 0 ? "" : `, ${numFailed} failed`;
  const seeds = grid.seeds.length === 1 ? "" : ` × ${grid.seeds.length} seeds`;
  return `${points.length} ${points.length === 1 ? "point" : "points"}${seeds}${loads}${failed}`;
}

/** `prompts about 1,149 and outputs about 209 tokens, 2,000 requests a point`: what ran, as it came out. */
export function sweptRequests({ points }: Pick<SweepResult, "points">): string {
  const measured = points.filter(isMeasured).filter(({ throughput }) => (throughput.requestsPerS ?? 0) > 0);
  if (measured.length === 0) return "no request completed";
  const perRequest = (key: "promptTokensPerS" | "outputTokensPerS") =>
    span(measured.map(({ throughput }) => (throughput[key] ?? 0) / throughput.requestsPerS!));
  const [prompts, outputs] = [perRequest("promptTokensPerS"), perRequest("outputTokensPerS")];
  const numbers = `${span(measured.map(({ requests }) => requests.submitted))} requests a point`;
  const turns = measured.map(({ turnsPerStart }) => turnsPerStart);
  if (Math.max(...turns) <= 1) return `prompts about ${prompts} and outputs about ${outputs} tokens, ${numbers}`;
  const why = prompts.includes(" to ") ? " (less where the end of the run cuts more sessions off)" : "";
  return `sessions of about ${span(turns)} requests, prompts with the conversation so far about ${prompts} tokens${why}, outputs about ${outputs}, ${numbers}`;
}

/** `1,149`, or `900 to 1,149` where they differ by more than a few percent. */
function span(values: readonly number[]): string {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const print = (value: number) => Math.round(value).toLocaleString("en-US");
  return most <= least * SAME_FACTOR ? print(most) : `${print(least)} to ${print(most)}`;
}

/** Means of so many draws differ by chance: they are told as one up to this. */
const SAME_FACTOR = 1.1;
