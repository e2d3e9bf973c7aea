import { ConfigError } from "../errors/simulationError.js";
import type { RequestSpec } from "../request/requestSpec.js";
import { US_PER_S } from "../units/units.js";
import type { ArrivalProfile, ClosedLoopProfile, OpenLoopProfile } from "./arrivalConfig.js";
import { createArrivalProcess } from "./arrivals.js";
import type { ConversationSource } from "./conversation.js";
import { ConversationWorkload } from "./conversationWorkload.js";
import { GeneratedSource } from "./generatedSource.js";
import type { RunLimits } from "./runLimits.js";
import { SpecSource } from "./specSource.js";
import type { SpecStream } from "./specStream.js";
import { workloadFromSpecs } from "./specWorkload.js";
import { ClosedStarts, OpenStarts, type StartSchedule } from "./startSchedule.js";
import { SyntheticSource } from "./syntheticSource.js";
import type { Workload } from "./workload.js";
import type { WorkloadConfig } from "./workloadConfig.js";

/** What a workload needs beside its config; all may be left out where it does not apply. */
export interface WorkloadOptions {
  /** The requests of the trace that `data.path` names, read by the caller: core reads no files. */
  readonly specs?: readonly RequestSpec[] | SpecStream;
  /** Place in a sweep, from 0: GuideLLM shifts the seeds of its synthetic data by it. */
  readonly benchmarkIndex?: number;
}

/**
 * Builds the workload a config describes. The same config, seed and options give the same requests,
 * whatever the engine does with them.
 * @param seed integer ≥ 0; for synthetic data GuideLLM's `--random-seed`
 * @throws ConfigError when the parts do not fit together, or nothing would ever end the workload
 */
export function createWorkload(config: WorkloadConfig, seed: number, options: WorkloadOptions = {}): Workload {
  const limits = runLimits(config);
  const { profile } = config;
  if (profile.kind === "trace") {
    return workloadFromSpecs(traceSpecs(config, options), { timeScale: profile.timeScale, limits });
  }
  checkEnds(config);
  const starts = createStarts(profile, seed, knownNumStarts(config, options));
  return new ConversationWorkload(createSource(config, seed, options), starts, limits);
}

function createSource(config: WorkloadConfig, seed: number, options: WorkloadOptions): ConversationSource {
  const { data } = config;
  switch (data.kind) {
    case "synthetic":
      return new SyntheticSource(data, seed, options.benchmarkIndex ?? 0);
    case "lengths":
    case "paired":
      return new GeneratedSource(data, seed);
    case "trace":
      return new SpecSource(traceSpecs(config, options));
  }
}

function createStarts(
  profile: OpenLoopProfile | ClosedLoopProfile,
  seed: number,
  numStarts: number | null,
): StartSchedule {
  switch (profile.kind) {
    case "constant":
    case "poisson":
    case "gamma":
      return new OpenStarts(createArrivalProcess(profile, seed, numStarts));
    case "synchronous":
      return new ClosedStarts(1, 0);
    case "concurrent":
      return new ClosedStarts(profile.streams, profile.rampUpS * US_PER_S);
    case "throughput":
      return new ClosedStarts(profile.maxConcurrency ?? Number.POSITIVE_INFINITY, profile.rampUpS * US_PER_S);
  }
}

/** How many conversations will begin, or null when that depends on the run. */
function knownNumStarts(config: WorkloadConfig, options: WorkloadOptions): number | null {
  const { data, maxRequests, maxSeconds } = config;
  if (maxSeconds !== null) return null;
  if (data.kind === "lengths" && data.session !== null) return null;
  if (data.kind === "synthetic" && data.turns > 1) return null;
  const available = data.kind === "trace" ? traceSpecs(config, options).length : Number.POSITIVE_INFINITY;
  const numStarts = Math.min(maxRequests ?? Number.POSITIVE_INFINITY, available);
  return Number.isFinite(numStarts) ? numStarts : null;
}

function runLimits(config: WorkloadConfig): RunLimits {
  return {
    maxRequests: config.maxRequests ?? Number.POSITIVE_INFINITY,
    endUs: toUs(config.maxSeconds),
    cancelAtEnd: config.atMaxSeconds === "cancel",
    timeoutUs: toUs(config.timeoutS),
    priority: config.priority,
  };
}

function toUs(seconds: number | null): number {
  return seconds === null ? Number.POSITIVE_INFINITY : Math.round(seconds * US_PER_S);
}

function traceSpecs(config: WorkloadConfig, options: WorkloadOptions): readonly RequestSpec[] | SpecStream {
  if (config.data.kind !== "trace") {
    const allowed = 'the trace profile needs data of kind "trace": it takes its arrival times from there';
    throw new ConfigError([{ path: "workload.data.kind", received: `"${config.data.kind}"`, allowed }]);
  }
  if (options.specs === undefined) {
    const allowed = "read the trace and pass its requests as options.specs";
    throw new ConfigError([{ path: "workload.data.path", received: `"${config.data.path}"`, allowed }]);
  }
  return options.specs;
}

/** A generated workload without end would simulate for ever, or send without end at one instant. */
function checkEnds(config: WorkloadConfig): void {
  if (config.data.kind === "trace" || config.maxRequests !== null) return;
  if (config.maxSeconds === null) {
    const allowed = "give --max-requests or --max-seconds: generated requests never run out";
    throw new ConfigError([{ path: "workload.maxRequests", received: "no limit", allowed }]);
  }
  if (sendsAllAtOnce(config.profile)) {
    const allowed = "give --max-requests: without a concurrency limit all requests are sent at time 0";
    throw new ConfigError([{ path: "workload.maxRequests", received: "no limit", allowed }]);
  }
}

function sendsAllAtOnce(profile: ArrivalProfile): boolean {
  return profile.kind === "throughput" && profile.maxConcurrency === null;
}
