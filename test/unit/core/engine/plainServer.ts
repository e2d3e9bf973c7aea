import type { ScheduledBatch } from "../../../../src/core/batch/scheduledBatch.js";
import { KeptRequests } from "../../../../src/core/engine/requestSinks.js";
import type { RequestSink, ServedRun, StepObserver } from "../../../../src/core/engine/runResult.js";
import { ServerLoop, type ServerParts } from "../../../../src/core/engine/serverLoop.js";
import { ExtentKvCache } from "../../../../src/core/kv/extentKvCache.js";
import type { RequestSpec } from "../../../../src/core/request/requestSpec.js";
import { Scheduler } from "../../../../src/core/scheduler/scheduler.js";
import { type SchedulerConfig, schedulerConfig } from "../../../../src/core/scheduler/schedulerConfig.js";
import type { ServerOverheads } from "../../../../src/core/stepmodel/serverOverheads.js";
import type { StepBreakdown, StepModel } from "../../../../src/core/stepmodel/stepModel.js";
import { WAIT_CATEGORY } from "../../../../src/core/stepmodel/stepWaits.js";
import type { Workload } from "../../../../src/core/workload/workload.js";

export const NO_OVERHEADS: ServerOverheads = {
  scheduleUs: 0,
  updateUs: 0,
  frontEndUs: 0,
  frontEndUsPerPromptToken: 0,
  outputUs: 0,
  outputUsPerToken: 0,
};

/** A step costs so much, and so much more per token. */
export class SimpleStepModel implements StepModel {
  readonly pricesLockstep = true;
  readonly componentNames = ["fixed", "tokens"];
  readonly componentCategories = [WAIT_CATEGORY, WAIT_CATEGORY] as const;
  readonly #fixedUs: number;
  readonly #usPerToken: number;

  constructor(fixedUs: number, usPerToken = 0) {
    this.#fixedUs = fixedUs;
    this.#usPerToken = usPerToken;
  }

  gpuUs({ numTokens }: ScheduledBatch, componentsUs: Float64Array): number {
    componentsUs[0]! += this.#fixedUs;
    componentsUs[1]! += this.#usPerToken * numTokens;
    return this.#fixedUs + this.#usPerToken * numTokens;
  }

  breakdown({ numTokens }: ScheduledBatch): StepBreakdown {
    const waits = [
      { name: "fixed", us: this.#fixedUs, count: 1 },
      { name: "tokens", us: this.#usPerToken * numTokens, count: numTokens },
    ];
    return { numTokens, paddedTokens: numTokens, components: [], waits };
  }
}

/** Everything of a server with simple prices; what is left out is roomy and free. */
export interface PlainServer extends Partial<SchedulerConfig> {
  readonly stepModel: StepModel;
  readonly overheads?: ServerOverheads;
  readonly numGpuBlocks?: number;
  readonly blockSize?: number;
  readonly enablePrefixCaching?: boolean;
}

export function plainServer(server: PlainServer): ServerParts {
  const { stepModel, overheads = NO_OVERHEADS, numGpuBlocks = 10_001 } = server;
  const { blockSize = 16, enablePrefixCaching = false, ...limits } = server;
  const kvCache = new ExtentKvCache(numGpuBlocks - 1, { blockSize, enablePrefixCaching });
  const config = schedulerConfig({ maxNumSeqs: 128, maxNumBatchedTokens: 2048, maxModelLen: 4096, ...limits });
  return {
    scheduler: new Scheduler(config, kvCache),
    stepModel,
    overheads,
    maxNumSeqs: config.maxNumSeqs,
    numGpuBlocks,
    queueDepth: config.asyncScheduling ? 2 : 1,
  };
}

export function serve(parts: ServerParts, workload: Workload, observer: StepObserver | null = null): ServedRun {
  const kept = new KeptRequests();
  const stats = new ServerLoop(parts, workload, observer, kept).run();
  return { records: kept.records, specs: kept.specs, stats };
}

/** `serve`, keeping nothing. */
export function serveInto(parts: ServerParts, workload: Workload, sink: RequestSink): void {
  new ServerLoop(parts, workload, null, sink).run();
}

/** A workload whose client side is watched. */
export class WatchedWorkload implements Workload {
  readonly #workload: Workload;
  readonly inFlight = new Map<string, RequestSpec>();
  /** How often the end of each request was told. */
  readonly numEnds = new Map<string, number>();
  readonly arrivalsUs: number[] = [];
  peakInFlight = 0;

  constructor(workload: Workload) {
    this.#workload = workload;
  }

  peekArrivalUs(): number {
    return this.#workload.peekArrivalUs();
  }

  take(): RequestSpec {
    const spec = this.#workload.take();
    this.arrivalsUs.push(spec.arrivalUs);
    this.inFlight.set(spec.id, spec);
    this.peakInFlight = Math.max(this.peakInFlight, this.inFlight.size);
    return spec;
  }

  onFinished(spec: RequestSpec, nowUs: number): void {
    this.inFlight.delete(spec.id);
    this.numEnds.set(spec.id, (this.numEnds.get(spec.id) ?? 0) + 1);
    this.#workload.onFinished(spec, nowUs);
  }
}
