import type { LoggedStep, StepLogHeader } from "../../../../src/core/analysis/stepLog.js";
import { StepLogger } from "../../../../src/core/analysis/stepLogger.js";
import { parseConfig } from "../../../../src/core/config/parseConfig.js";
import { runConfigSchema } from "../../../../src/core/engine/runConfig.js";
import type { StepObserver } from "../../../../src/core/engine/runResult.js";
import { type SimulationResult, simulate } from "../../../../src/core/engine/simulate.js";
import { loadDeployment } from "../../../../src/io/loadDeployment.js";

/** A run with its step log in memory. */
export interface LoggedRun extends SimulationResult {
  readonly header: StepLogHeader;
  readonly steps: readonly LoggedStep[];
}

/** Simulates a run of the given config (unparsed) and logs its steps. */
export function loggedRun(input: object): LoggedRun {
  const config = parseConfig(runConfigSchema, input, "");
  let logger: StepLogger | null = null;
  const steps: LoggedStep[] = [];
  const observer: StepObserver = {
    onStart(server, resolved) {
      logger = new StepLogger(server, resolved);
    },
    onStep(step, startUs, endUs, scheduler) {
      steps.push(logger!.log(step, startUs, endUs, scheduler));
    },
  };
  const result = simulate(loadDeployment(config), config, { observer });
  return { ...result, header: logger!.header, steps };
}

/** A small overloaded mixed workload: prefills, decodes, a queue, and preemptions of a small KV cache. */
export const BUSY = {
  model: "meta-llama/Llama-3.1-8B",
  engine: { maxModelLen: 4096, maxNumSeqs: 12, maxNumBatchedTokens: 512, numGpuBlocksOverride: 300 },
  workload: {
    profile: { kind: "poisson", rate: 30 },
    data: { kind: "synthetic", promptTokens: 400, outputTokens: 60 },
    maxRequests: 40,
  },
};
