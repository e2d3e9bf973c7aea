import fc from "fast-check";
import type { ScheduledBatch } from "../../src/core/batch/scheduledBatch.js";
import type { ServedRun, StepObserver } from "../../src/core/engine/runResult.js";
import type { ServerParts } from "../../src/core/engine/serverLoop.js";
import { ExtentKvCache } from "../../src/core/kv/extentKvCache.js";
import { type RequestSpec, requestSpec, type TokenSegment } from "../../src/core/request/requestSpec.js";
import { Scheduler } from "../../src/core/scheduler/scheduler.js";
import { type SchedulerConfig, schedulerConfig } from "../../src/core/scheduler/schedulerConfig.js";
import type { ServerOverheads } from "../../src/core/stepmodel/serverOverheads.js";
import type { StepBreakdown, StepModel } from "../../src/core/stepmodel/stepModel.js";
import { WAIT_CATEGORY } from "../../src/core/stepmodel/stepWaits.js";
import { closedLoopWorkload, workloadFromSpecs } from "../../src/core/workload/specWorkload.js";
import { BlockPool } from "../reference/blockKv/blockPool.js";
import { KvCacheManager } from "../reference/blockKv/kvCacheManager.js";
import { PlainScheduler } from "../reference/plainEngine/plainScheduler.js";
import { PlainServerLoop } from "../reference/plainEngine/plainServerLoop.js";
import { NO_OVERHEADS, serve } from "../unit/core/engine/plainServer.js";

/** One step as both engines must see it. */
export interface SeenStep {
  readonly startUs: number;
  readonly endUs: number;
  readonly numRequests: number;
  readonly numTokens: number;
  readonly numSampled: number;
  readonly numPreempted: number;
  readonly sumContextTokens: number;
  readonly maxContextTokens: number;
  readonly usedFraction: number;
}

/** A run, and how much of it was in lockstep. */
export interface ComparedRun extends ServedRun {
  readonly steps: readonly SeenStep[];
  readonly numLockstepTokens: number;
  readonly numMixedSteps: number;
  /** Steps planned with a preemption that left others in lockstep. */
  readonly numPreemptingSteps: number;
  /** Every time between two tokens that a client saw, in the order in which they ended, µs; the plain engine's alone. */
  readonly seenGapsUs: readonly number[];
}

/** A step costs something for whatever a step model may look at. */
class ContextStepModel implements StepModel {
  readonly pricesLockstep = true;
  readonly componentNames = ["fixed", "tokens", "contexts", "longest"];
  readonly componentCategories = [WAIT_CATEGORY, WAIT_CATEGORY, WAIT_CATEGORY, WAIT_CATEGORY] as const;
  readonly #fixedUs: number;

  constructor(fixedUs: number) {
    this.#fixedUs = fixedUs;
  }

  gpuUs(batch: ScheduledBatch, componentsUs: Float64Array): number {
    const { sum, max } = contexts(batch);
    const parts = [this.#fixedUs, 3 * batch.numTokens + 7 * batch.numSampled, 0.25 * sum, 0.5 * max];
    let us = 0;
    for (let i = 0; i < parts.length; i++) {
      componentsUs[i]! += parts[i]!;
      us += parts[i]!;
    }
    return us;
  }

  breakdown(): StepBreakdown {
    throw new Error("nobody asks");
  }
}

function contexts(batch: ScheduledBatch): { sum: number; max: number } {
  let sum = batch.sumLockstepContextTokens;
  let max = batch.maxLockstepContextTokens;
  for (let row = 0; row < batch.numRows; row++) {
    const context = batch.numContextTokens[row]! + batch.numNewTokens[row]!;
    sum += context;
    max = Math.max(max, context);
  }
  return { sum, max };
}

const someUs = fc.integer({ min: 0, max: 400 });

const overheads: fc.Arbitrary<ServerOverheads> = fc.oneof(
  fc.constant(NO_OVERHEADS),
  fc.record({
    scheduleUs: someUs,
    updateUs: someUs,
    frontEndUs: someUs,
    frontEndUsPerPromptToken: fc.integer({ min: 0, max: 20 }),
    outputUs: someUs,
    outputUsPerToken: fc.integer({ min: 0, max: 300 }),
  }),
);

const requestPlan = fc.record({
  gapUs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 60_000 })),
  /** Prefix shared by all that have one; the earlier request whose prompt and output it continues; tokens of its own. */
  numSharedTokens: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 40 })),
  continues: fc.option(fc.integer({ min: 1, max: 5 }), { freq: 4 }),
  numOwnTokens: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 400 })),
  maxTokens: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 90 })),
  priority: fc.integer({ min: 0, max: 2 }),
  timeoutUs: fc.oneof(
    { weight: 12, arbitrary: fc.constant(Number.POSITIVE_INFINITY) },
    fc.integer({ min: 0, max: 60_000 }),
  ),
});

/** A server of any limits under any open or closed load. */
export const lockstepRun = fc
  .record({
    limits: fc.record({
      maxNumSeqs: fc.integer({ min: 1, max: 24 }),
      extraBudget: fc.integer({ min: 0, max: 80 }),
      blockSize: fc.integer({ min: 1, max: 5 }),
      maxModelLen: fc.oneof(fc.integer({ min: 16, max: 120 }), fc.constant(600)),
      enablePrefixCaching: fc.boolean(),
      enableChunkedPrefill: fc.boolean(),
      noChunkRule: fc.constantFrom("stop", "skip" as const),
      longPrefillTokenThreshold: fc.option(fc.integer({ min: 1, max: 20 }), { nil: 0, freq: 3 }),
      schedulingPolicy: fc.constantFrom("fcfs", "priority" as const),
      asyncScheduling: fc.boolean(),
    }),
    /** 0 = as few blocks as the longest request needs, 1 = plenty. */
    roominess: fc.oneof(fc.double({ min: 0, max: 0.3, noNaN: true }), fc.constant(1)),
    overheads,
    fixedUs: fc.integer({ min: 1, max: 800 }),
    requests: fc.array(requestPlan, { minLength: 1, maxLength: 40 }),
    concurrency: fc.option(fc.integer({ min: 1, max: 12 })),
  })
  .map((plan) => ({ ...plan, specs: specsOf(plan.requests) }));

export type LockstepRun = typeof lockstepRun extends fc.Arbitrary<infer T> ? T : never;

function specsOf(requests: readonly (typeof requestPlan extends fc.Arbitrary<infer T> ? T : never)[]): RequestSpec[] {
  let arrivalUs = 0;
  const specs: RequestSpec[] = [];
  requests.forEach((plan, index) => {
    arrivalUs += plan.gapUs;
    const earlier = plan.continues === null ? undefined : specs[index - plan.continues];
    const shared = plan.numSharedTokens > 0 ? [{ contentId: 0, numTokens: plan.numSharedTokens }] : [];
    const history: TokenSegment[] =
      earlier === undefined
        ? shared
        : [...earlier.promptSegments, { contentId: earlier.outputContentId, numTokens: earlier.maxTokens }];
    specs.push(
      requestSpec({
        id: `r${index}`,
        arrivalUs,
        promptSegments: [...history, { contentId: 2 * index + 1, numTokens: plan.numOwnTokens }],
        maxTokens: plan.maxTokens,
        outputContentId: 2 * index + 2,
        priority: plan.priority,
        timeoutUs: plan.timeoutUs,
      }),
    );
  });
  return specs;
}

function limitsOf({ limits, roominess, specs }: LockstepRun): { config: SchedulerConfig; numGpuBlocks: number } {
  const { maxNumSeqs, maxModelLen, extraBudget, blockSize, enableChunkedPrefill } = limits;
  const maxNumBatchedTokens = (enableChunkedPrefill ? maxNumSeqs : Math.max(maxNumSeqs, maxModelLen)) + extraBudget;
  const blocks = specs.map((spec) =>
    Math.ceil(Math.min(spec.numPromptTokens + spec.maxTokens, maxModelLen) / blockSize),
  );
  const most = Math.max(...blocks);
  const all = blocks.reduce((sum, num) => sum + num, 0);
  return {
    config: schedulerConfig({ ...limits, maxNumBatchedTokens }),
    numGpuBlocks: 1 + most + Math.round(roominess * (all - most)),
  };
}

function workloadOf({ specs, concurrency }: LockstepRun) {
  return concurrency === null ? workloadFromSpecs(specs) : closedLoopWorkload(specs, concurrency);
}

/** What stands in `SeenStep` besides times. */
function seen(batch: ScheduledBatch, numPreempted: number, usedFraction: number): Omit<SeenStep, "startUs" | "endUs"> {
  const { sum: sumContextTokens, max: maxContextTokens } = contexts(batch);
  const { numRequests, numTokens, numSampled } = batch;
  return { numRequests, numTokens, numSampled, numPreempted, sumContextTokens, maxContextTokens, usedFraction };
}

/** The product's engine. */
export function runFast(run: LockstepRun): ComparedRun {
  const { config, numGpuBlocks } = limitsOf(run);
  const { blockSize, enablePrefixCaching } = run.limits;
  const kv = new ExtentKvCache(numGpuBlocks - 1, { blockSize, enablePrefixCaching });
  const scheduler = new Scheduler(config, kv, { useLockstep: true });
  const steps: SeenStep[] = [];
  let numLockstepTokens = 0;
  let numMixedSteps = 0;
  let numPreemptingSteps = 0;
  const watch: StepObserver = {
    onStep({ batch, numPreempted }, startUs, endUs) {
      steps.push({ startUs, endUs, ...seen(batch, numPreempted, kv.usageFraction) });
      numLockstepTokens += batch.numLockstep;
      if (batch.numLockstep > 0 && batch.numRows > 0) numMixedSteps++;
      if (batch.numLockstep > 0 && numPreempted > 0) numPreemptingSteps++;
    },
  };
  const served = serve(partsOf(run, scheduler, numGpuBlocks), workloadOf(run), watch);
  return { ...served, steps, numLockstepTokens, numMixedSteps, numPreemptingSteps, seenGapsUs: [] };
}

/** The plain one. */
export function runPlain(run: LockstepRun): ComparedRun {
  const { config, numGpuBlocks } = limitsOf(run);
  const { blockSize, enablePrefixCaching } = run.limits;
  const kv = new KvCacheManager(new BlockPool(numGpuBlocks), { blockSize, enablePrefixCaching, slidingWindow: 0 });
  const scheduler = new PlainScheduler(config, kv);
  const steps: SeenStep[] = [];
  const loop = new PlainServerLoop(partsOf(run, scheduler, numGpuBlocks), workloadOf(run));
  loop.onStep = ({ batch, numPreempted }, startUs, endUs) => {
    steps.push({ startUs, endUs, ...seen(batch, numPreempted, kv.usageFraction) });
  };
  const seenGapsUs: number[] = [];
  loop.onGap = (gapUs) => seenGapsUs.push(gapUs);
  return { ...loop.run(), steps, numLockstepTokens: 0, numMixedSteps: 0, numPreemptingSteps: 0, seenGapsUs };
}

function partsOf<S>(
  run: LockstepRun,
  scheduler: S,
  numGpuBlocks: number,
): Omit<ServerParts, "scheduler"> & { scheduler: S } {
  const { maxNumSeqs, asyncScheduling } = run.limits;
  const { overheads, fixedUs } = run;
  const stepModel = new ContextStepModel(fixedUs);
  return { scheduler, stepModel, overheads, maxNumSeqs, numGpuBlocks, queueDepth: asyncScheduling ? 2 : 1 };
}
