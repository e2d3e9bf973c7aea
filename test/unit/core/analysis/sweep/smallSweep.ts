import type { Sweep } from "../../../../../src/core/analysis/sweep/runSweep.js";
import { type SweepRun, sweepRunOf } from "../../../../../src/core/analysis/sweep/sweepRun.js";
import { type RunTask, simulateTask } from "../../../../../src/core/analysis/sweep/sweepTask.js";
import { parseConfig } from "../../../../../src/core/config/parseConfig.js";
import { type RunConfig, runConfigSchema } from "../../../../../src/core/engine/runConfig.js";
import { loadDeployment } from "../../../../../src/io/loadDeployment.js";

const deployment = loadDeployment({ model: "meta-llama/Llama-3.1-8B-Instruct", gpu: "H100" });

/** A config whose run takes milliseconds. */
export function smallConfig(profile: object = { kind: "poisson", rate: 4 }, changes: object = {}): RunConfig {
  const data = { kind: "synthetic", promptTokens: 200, promptTokensStdev: 50, outputTokens: 8, prefixTokens: 160 };
  return parseConfig(runConfigSchema, { workload: { profile, data, maxRequests: 12 }, ...changes }, "");
}

export const smallRates = (...rates: readonly number[]): RunConfig[] =>
  rates.map((rate) => smallConfig({ kind: "poisson", rate }));

export function smallSweep(changes: Partial<Sweep> = {}): Sweep {
  return {
    series: [{ label: "", varied: {}, configs: smallRates(2, 4) }],
    seeds: [42],
    guidellmSize: null,
    ...changes,
  };
}

/** Runs tasks in this process. */
export const simulateHere: RunTask = async (task) => ({ run: sweepRunOf(simulateTask(deployment, task, null)) });

/** A finished run, some of its numbers replaced. */
export function someRun(changes: Partial<SweepRun> = {}): SweepRun {
  const task = { config: smallConfig(), benchmarkIndex: 0, point: { label: "", index: 0 }, repetition: 0 };
  return { ...sweepRunOf(simulateTask(deployment, task, null)), ...changes };
}
