import type { Deployment } from "../../engine/createServer.js";
import type { RunConfig } from "../../engine/runConfig.js";
import type { RequestSink } from "../../engine/runResult.js";
import { type StreamedResult, simulateStreaming } from "../../engine/simulate.js";
import type { ErrorCode } from "../../errors/simulationError.js";
import type { RequestSpec } from "../../request/requestSpec.js";
import { createWorkload } from "../../workload/createWorkload.js";
import type { SpecStream } from "../../workload/specStream.js";
import type { SweepRun } from "./sweepRun.js";

/** One simulation of a sweep: everything it depends on, so that who runs it, and when, changes nothing. */
export interface SweepTask {
  /** With the seed of this repetition. */
  readonly config: RunConfig;
  /** Place in a GuideLLM sweep, from 0: its synthetic data has other lengths in each benchmark. Else 0. */
  readonly benchmarkIndex: number;
  /** What it is part of: names its files and lines, and changes none of its numbers. */
  readonly point: { readonly label: string; readonly index: number };
  /** Which of the point's seeds it has, from 0. */
  readonly repetition: number;
}

/** What became of a task: numbers, or why there are none. */
export type TaskOutcome =
  | { readonly run: SweepRun; readonly failure?: undefined }
  | { readonly run?: undefined; readonly failure: TaskFailure };

export interface TaskFailure {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Runs tasks somewhere: in this process, in worker threads, or from what an earlier sweep left on disk. */
export type RunTask = (task: SweepTask) => Promise<TaskOutcome>;

/**
 * Simulates a task. Each is a server of its own that has seen nothing yet, so shared prefixes are cold in each.
 * @param specs the requests of a trace workload, read by the caller
 * @param sink takes the requests as they end
 * @throws ConfigError, CapacityError
 */
export function simulateTask(
  deployment: Deployment,
  { config, benchmarkIndex }: SweepTask,
  specs: readonly RequestSpec[] | SpecStream | null,
  sink: RequestSink | null = null,
): StreamedResult {
  const options = { benchmarkIndex, ...(specs === null ? {} : { specs }) };
  return simulateStreaming(deployment, config, createWorkload(config.workload, config.seed, options), { sink });
}
