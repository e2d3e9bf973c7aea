import { ScheduledBatch } from "../../batch/scheduledBatch.js";
import { createServer, type Deployment } from "../../engine/createServer.js";
import { resolveAsyncScheduling } from "../../engine/resolveEngine.js";
import type { KernelModel } from "../../kernels/kernelModel.js";
import type { MeasuredRun } from "../../metrics/measuredExperiment.js";
import type { RequestRecord } from "../../metrics/requestRecord.js";
import { evaluateRun, type ServerRunConfig } from "../evaluateRun.js";
import { type CalibrationStart, constantsOf, type TermValues } from "./calibrationTerms.js";

/** An experiment to calibrate on or to judge with: its server, and what was measured on it. */
export interface CalibrationCase {
  readonly name: string;
  /** With the built-in constants. */
  readonly deployment: Deployment;
  readonly config: ServerRunConfig;
  readonly runs: readonly MeasuredRun[];
}

/** Whether the experiment's server schedules a step while one runs. */
export function isAsyncCase({ config }: CalibrationCase): boolean {
  return resolveAsyncScheduling(config.engine);
}

/** A deployment with the constants that the terms say. */
export function deploymentAt(from: CalibrationCase, values: TermValues, start: CalibrationStart): Deployment {
  return { ...from.deployment, constants: constantsOf(values, isAsyncCase(from), start) };
}

/** Replays one run with the constants that the terms say. @param kernelFactor on the time of every kernel */
export function replayAt(
  from: CalibrationCase,
  run: MeasuredRun,
  values: TermValues,
  start: CalibrationStart,
  kernelFactor = 1,
): readonly RequestRecord[] {
  const deployment = deploymentAt(from, values, start);
  const kernelModel = kernelFactor === 1 ? deployment.kernelModel : slowed(deployment.kernelModel, kernelFactor);
  return evaluateRun({ ...deployment, kernelModel }, from.config, run).records;
}

function slowed(kernelModel: KernelModel, factor: number): KernelModel {
  return {
    price: (operator) => {
      const price = kernelModel.price(operator);
      return { ...price, us: price.us * factor, launchUs: price.launchUs * factor };
    },
    lookup: (operator) => kernelModel.lookup(operator),
  };
}

/** µs that one µs of a wait constant adds to every step. */
export function waitSizes({ deployment, config }: CalibrationCase): { readonly gap: number; readonly skew: number } {
  const waits = { kernelGapUsPerLayer: 1, rankSkewUsPerDoubling: 1, fixedUs: 0 };
  const { stepModel } = createServer({ ...deployment, constants: { waits } }, config.engine, config.sampling);
  const batch = new ScheduledBatch(1);
  batch.push(1, 1, true);
  const usOf = (name: string) => stepModel.breakdown(batch).waits.find((wait) => wait.name === name)?.us ?? 0;
  return { gap: usOf("kernel_gaps"), skew: usOf("rank_skew") };
}
