import type { RunSummary, StreamedResult } from "../core/engine/simulate.js";
import type { Distribution } from "../core/metrics/distribution.js";
import type { RecordColumns } from "../core/metrics/recordColumns.js";
import { completedColumn, e2eMs, ttftMs } from "../core/metrics/runMetrics.js";
import { loadGpu } from "../io/catalog.js";
import { distributionPicture } from "./distributionPicture.js";
import { pricedBy } from "./pricedBy.js";
import { numberColumns, printMs, printNumber, textTable } from "./textTable.js";
import { uncertaintyTable } from "./uncertaintyTable.js";
import { verdict } from "./verdict.js";

/** A table with longer latencies than this is in seconds: nobody reads seven digits. */
const MS_TABLE_MAX_MS = 100_000;
interface Scale {
  readonly unit: string;
  readonly msPerUnit: number;
  readonly decimals: number;
}
const IN_MS: Scale = { unit: "ms", msPerUnit: 1, decimals: 1 };
const IN_S: Scale = { unit: "s", msPerUnit: 1000, decimals: 3 };

/** A run's result for people: the answer in words, then in numbers, then what the time and the memory went to. */
export function runTable({ summary, columns }: StreamedResult): string {
  const { config, requests, throughput, engine } = summary;
  const { tensorParallelSize, maxNumSeqs, maxNumBatchedTokens } = config.engine;
  const counts = [
    `${requests.completed} of ${requests.submitted} requests completed`,
    requests.rejected > 0 ? `${requests.rejected} rejected` : "",
    requests.aborted > 0 ? `${requests.aborted} given up by the client` : "",
    requests.unfinished > 0 ? `${requests.unfinished} unfinished` : "",
  ].filter((text) => text !== "");
  const priced = pricedBy(config);
  const scale = (summary.e2eMs.max ?? 0) < MS_TABLE_MAX_MS ? IN_MS : IN_S;
  const latencies = textTable(numberColumns(`latency, ${scale.unit}`, "mean", "p50", "p90", "p95", "p99", "max"), [
    latencyRow("TTFT  time to first token", summary.ttftMs, scale),
    latencyRow("TPOT  time per output token", summary.tpotMs, scale),
    latencyRow("ITL   mean gap of each request", summary.itlMs, scale),
    latencyRow("gap   single gaps, vLLM's ITL", summary.gapMs, scale),
    latencyRow("E2E   end to end", summary.e2eMs, scale),
    latencyRow("queue wait", summary.queueMs, scale),
  ]);
  return `${config.model} on ${tensorParallelSize} × ${loadGpu(config.gpu).id}, vLLM ${config.engine.vllmVersion}${priced === "" ? "" : `\n${priced}`}
${loadLine(summary)}
${counts.join(", ")} in ${printNumber(engine.simulatedS)} simulated s

${verdict(summary)}

${latencies}${pictures(columns)}
${summary.uncertainty === undefined ? "" : `${uncertaintyTable(summary, summary.uncertainty, scale)}\n`}throughput   ${printNumber(throughput.requestsPerS, 2)} requests/s, ${printNumber(throughput.promptTokensPerS, 0)} prompt tokens/s, ${printNumber(throughput.outputTokensPerS, 0)} output tokens/s
engine       ${engine.steps} steps, GPU busy ${percent(engine.busyFraction)}, limits ${maxNumSeqs} sequences and ${maxNumBatchedTokens} tokens a step
KV cache     ${engine.numGpuBlocks} blocks, ${percent(engine.kvPeakUsedFraction)} used at peak, ${engine.preemptions} preemptions, ${percent(engine.prefixCacheHitFraction)} of prompt tokens from the prefix cache
GPU time     ${bottleneckLine(summary.bottleneck)}
`;
}

/** How TTFT and E2E spread over the completed requests: one line each, or nothing when there are too few. */
function pictures(columns: RecordColumns): string {
  const lines = [
    picture("TTFT", completedColumn(columns, ttftMs)),
    picture("E2E", completedColumn(columns, e2eMs)),
  ].filter((line) => line !== "");
  return lines.length === 0 ? "" : `\nrequests by latency, log scale\n${lines.join("")}`;
}

function picture(title: string, valuesMs: Float64Array): string {
  const bars = distributionPicture(valuesMs);
  if (bars === null) return "";
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (const ms of valuesMs) {
    low = Math.min(low, ms);
    high = Math.max(high, ms);
  }
  return `${title.padEnd(4)} ${printMs(low).padStart(8)} ${bars} ${printMs(high)}\n`;
}

/** The load in words. */
export function loadLine({ config }: RunSummary): string {
  const { profile, data, description } = config.workload;
  if (profile.kind === "trace" && data.kind === "trace") return `workload: requests of ${data.path}, as they came`;
  const load = "rate" in profile ? `${profile.kind}, ${profile.rate} requests/s` : profile.kind;
  const streams = "streams" in profile ? `, ${profile.streams} streams` : "";
  return `workload: ${load}${streams}${description === "" ? "" : ` — ${description}`}`;
}

/** The largest shares of GPU time, as words. */
function bottleneckLine(bottleneck: Readonly<Record<string, number>>): string {
  const largest = Object.entries(bottleneck).slice(0, 5);
  return largest.map(([name, share]) => `${name} ${percent(share)}`).join(", ");
}

function latencyRow(title: string, values: Distribution, { decimals, msPerUnit }: Scale): string[] {
  const shown = [values.mean, values.p50, values.p90, values.p95, values.p99, values.max];
  return [title, ...shown.map((ms) => printNumber(ms === null ? null : ms / msPerUnit, decimals))];
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`;
}
