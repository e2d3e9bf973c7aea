import { highestRate } from "../../src/core/analysis/plan/highestRate.js";
import { holdsSlo, simulatePlanTask } from "../../src/core/analysis/plan/planTrial.js";
import type { RunConfig } from "../../src/core/engine/runConfig.js";
import { parseSlo } from "../../src/core/metrics/slo.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";
import { presetConfig } from "./presetConfig.js";

/**
 * How much one seed's verdict is worth: for two workloads on one H100 and eight seeds, whether the SLO holds at rates 2 %
 * apart (`+`) or not (`-`), how often that changes along the rate, and the rate at which bisection ends.
 *
 *     npx tsx eval/plan/verdicts.ts
 */
const CASES = [
  { preset: "chat", slo: "p99 ttft<=500ms, p95 itl<=40ms", numRequests: 4000 },
  { preset: "rag", slo: "p99 ttft<=2s, p95 itl<=60ms", numRequests: 2000 },
] as const;
const SEEDS = Array.from({ length: 8 }, (_, i) => 42 + 1000 * i);
const STEP = 1.02;
const NUM_STEPS = 8;

for (const { preset, slo: sloText, numRequests } of CASES) {
  const slo = parseSlo(sloText);
  const config = presetConfig(preset, { numRequests });
  const deployment = loadDeployment(config);
  const holds = async (load: RunConfig) =>
    holdsSlo(simulatePlanTask(deployment, { config: load, slo, stopsEarly: true }));
  const at = (seed: number, rate: number): RunConfig => ({
    ...config,
    seed,
    workload: { ...config.workload, profile: { kind: "poisson", rate, workers: 1 } },
  });
  const ends: number[] = [];
  for (const seed of SEEDS) {
    const { held } = await highestRate({ ratePerS: 8, step: 2 }, (rate) => holds(at(seed, rate)), Boolean);
    ends.push(held?.ratePerS ?? Number.NaN);
  }
  const middle = [...ends].sort((a, b) => a - b)[SEEDS.length >> 1] as number;
  const rates = Array.from({ length: 2 * NUM_STEPS + 1 }, (_, i) => middle * STEP ** (i - NUM_STEPS));
  process.stdout.write(`${preset}, ${sloText}, ${numRequests} requests a trial\n`);
  process.stdout.write(`rates ${rates[0]?.toFixed(1)} to ${rates.at(-1)?.toFixed(1)} requests/s, 2 % apart\n`);
  for (const [i, seed] of SEEDS.entries()) {
    const verdicts: string[] = [];
    for (const rate of rates) verdicts.push((await holds(at(seed, rate))) ? "+" : "-");
    const numChanges = verdicts.filter((verdict, j) => j > 0 && verdict !== verdicts[j - 1]).length;
    process.stdout.write(
      `seed ${String(seed).padEnd(5)} ${verdicts.join("")}  ${numChanges} changes, bisection ends at ${ends[i]?.toFixed(2)}\n`,
    );
  }
  process.stdout.write("\n");
}
