import { atRate } from "../../src/core/analysis/plan/checkedLoad.js";
import {
  holdsSlo,
  type PlanTrial,
  type RunPlanTask,
  simulatePlanTask,
} from "../../src/core/analysis/plan/planTrial.js";
import { searchPlan } from "../../src/core/analysis/plan/searchPlan.js";
import type { RunConfig } from "../../src/core/engine/runConfig.js";
import { parseSlo } from "../../src/core/metrics/slo.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";
import { presetConfig } from "./presetConfig.js";

/**
 * Whether what a plan says is true of requests that it has not seen: finds the highest rate of each server as `roofserve
 * plan` does, then serves one run of other seeds, forty times as long, at that rate and at rates above it.
 *
 *     npx tsx eval/plan/planHolds.ts
 */
const WORKLOADS = [
  { preset: "chat", slo: "p99 ttft<=500ms, p95 itl<=40ms" },
  { preset: "rag", slo: "p99 ttft<=2s, p95 itl<=60ms" },
] as const;
const SERVERS = [
  { gpu: "A100-80", tensorParallelSize: 4 },
  { gpu: "H100", tensorParallelSize: 1 },
  { gpu: "H200", tensorParallelSize: 2 },
] as const;
const NUM_REQUESTS = 2000;
const LONG_REQUESTS = 40 * NUM_REQUESTS;
const LONG_SEED = 777_001;
const ABOVE = [1, 1.05, 1.1] as const;
const SEEDS = { seeds: [42, 1042, 2042, 3042, 4042], checkSeeds: [5042, 6042, 7042, 8042, 9042] };

for (const { preset, slo: sloText } of WORKLOADS) {
  const slo = parseSlo(sloText);
  process.stdout.write(`${preset}, ${sloText}\n`);
  for (const { gpu, tensorParallelSize } of SERVERS) {
    const config = presetConfig(preset, { numRequests: NUM_REQUESTS, gpu, engine: { tensorParallelSize } });
    const deployment = loadDeployment(config);
    const runTask: RunPlanTask = async (task) => ({ trial: simulatePlanTask(deployment, task) });
    const question = { slo, targetPerS: null, ...SEEDS, prices: { prices: [] } };
    const plan = await searchPlan({ label: "", varied: {}, configs: [config] }, question, runTask);
    const name = `${tensorParallelSize} × ${gpu}`.padEnd(12);
    if (!plan.isFeasible) {
      process.stdout.write(`${name} ${plan.reason}\n`);
      continue;
    }
    const long: RunConfig = {
      ...config,
      seed: LONG_SEED,
      workload: { ...config.workload, maxRequests: LONG_REQUESTS },
    };
    const verdicts = ABOVE.map((factor) => {
      const load = atRate(long, factor * plan.highestRatePerS);
      return `× ${factor}: ${words(simulatePlanTask(deployment, { config: load, slo, stopsEarly: false }))}`;
    });
    const { low, high } = plan.rateInterval ?? { low: Number.NaN, high: Number.NaN };
    process.stdout.write(
      `${name} ${plan.highestRatePerS.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})  ${verdicts.join("  ")}\n`,
    );
  }
}

function words(trial: PlanTrial): string {
  const values = trial.checks.map(({ name, value }) => `${name} ${value === null ? "–" : value.toFixed(0)} ms`);
  return `${holdsSlo(trial) ? "holds" : "broken"} (${values.join(", ")}${trial.isOverrun ? ", queue grows" : ""})`;
}
