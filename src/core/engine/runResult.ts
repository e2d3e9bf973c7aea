import type { BinnedCounts } from "../metrics/binnedCounts.js";
import type { RequestRecord } from "../metrics/requestRecord.js";
import type { RequestSpec } from "../request/requestSpec.js";
import type { ScheduledStep } from "../scheduler/scheduledStep.js";
import type { Scheduler } from "../scheduler/scheduler.js";
import type { Server } from "./createServer.js";
import type { RunConfig } from "./runConfig.js";

/** What the engine did over a run. */
export interface EngineStats {
  /** Steps with at least one request. */
  readonly steps: number;
  /** Simulated time from the start of the run to the engine's last act, µs. */
  readonly simulatedUs: number;
  readonly preemptions: number;
  readonly numGpuBlocks: number;
  /** Largest fraction of usable KV blocks in use after a scheduling pass. */
  readonly kvPeakUsedFraction: number;
  /** Prompt tokens found in the prefix cache at first admission, over all prompt tokens admitted. */
  readonly prefixCacheHitFraction: number;
  readonly gpuBusyUs: number;
  /** GPU time of steps that left requests waiting: no sequence, token or KV block was free for them. */
  readonly limitedUs: number;
  /** Time the front end spends streaming tokens to clients, µs. */
  readonly outputBusyUs: number;
  /**
   * Times between successive output tokens of a request, µs, as its client sees them: all that any client saw, those of
   * requests that were given up later included.
   */
  readonly gapsUs: BinnedCounts;
  /** Share of GPU time by component; sums to 1. */
  readonly componentShares: Readonly<Record<string, number>>;
}

/** Takes a run's requests, one by one, in order of submission, each as soon as it and all before it have ended. */
export interface RequestSink {
  /** @param spec what was asked */
  add(record: RequestRecord, spec: RequestSpec): void;
}

/** What a server made of a workload. */
export interface ServedRun {
  /** In order of submission. */
  readonly records: readonly RequestRecord[];
  /** Parallel to `records`: what was asked. */
  readonly specs: readonly RequestSpec[];
  readonly stats: EngineStats;
}

/** Watches a run without changing it. */
export interface StepObserver {
  /** A run of `config`, resolved, begins on this server: once, before the first step. */
  onStart?(server: Server, config: RunConfig): void;
  /** A step was planned: `step` is valid during the call only; the GPU runs it from `startUs` to `endUs`. */
  onStep(step: ScheduledStep, startUs: number, endUs: number, scheduler: Scheduler): void;
}
