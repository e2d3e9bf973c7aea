import fc from "fast-check";
import type { ServedRun } from "../../src/core/engine/runResult.js";
import type { ServerParts } from "../../src/core/engine/serverLoop.js";
import { type RequestSpec, requestSpec } from "../../src/core/request/requestSpec.js";
import type { Scheduler } from "../../src/core/scheduler/scheduler.js";
import type { ServerOverheads } from "../../src/core/stepmodel/serverOverheads.js";
import { closedLoopWorkload, workloadFromSpecs } from "../../src/core/workload/specWorkload.js";
import { NO_OVERHEADS, plainServer, SimpleStepModel, serve, WatchedWorkload } from "../unit/core/engine/plainServer.js";

const requestPlan = fc.record({
  gapUs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3000 })),
  /** Prefix shared by all requests that have one, then tokens of its own. */
  numSharedTokens: fc.integer({ min: 0, max: 12 }),
  numOwnTokens: fc.integer({ min: 1, max: 20 }),
  maxTokens: fc.integer({ min: 1, max: 20 }),
  priority: fc.integer({ min: 0, max: 2 }),
  timeoutUs: fc.option(fc.integer({ min: 0, max: 20_000 }), { nil: Number.POSITIVE_INFINITY, freq: 2 }),
});

const serverPlan = fc
  .record({
    maxNumSeqs: fc.integer({ min: 1, max: 8 }),
    extraBudget: fc.integer({ min: 0, max: 40 }),
    blockSize: fc.integer({ min: 2, max: 5 }),
    numUsableBlocks: fc.integer({ min: 8, max: 40 }),
    maxModelLen: fc.integer({ min: 16, max: 80 }),
    enablePrefixCaching: fc.boolean(),
    enableChunkedPrefill: fc.boolean(),
    noChunkRule: fc.constantFrom("stop", "skip" as const),
    longPrefillTokenThreshold: fc.option(fc.integer({ min: 1, max: 9 }), { nil: 0, freq: 3 }),
    schedulingPolicy: fc.constantFrom("fcfs", "priority" as const),
    asyncScheduling: fc.boolean(),
  })
  .map((plan) => ({
    ...plan,
    maxNumBatchedTokens:
      (plan.enableChunkedPrefill ? plan.maxNumSeqs : Math.max(plan.maxNumSeqs, plan.maxModelLen)) + plan.extraBudget,
  }));

const someUs = fc.integer({ min: 0, max: 400 });
const busyCpu: fc.Arbitrary<ServerOverheads> = fc.record({
  scheduleUs: someUs,
  updateUs: someUs,
  frontEndUs: someUs,
  frontEndUsPerPromptToken: fc.integer({ min: 0, max: 20 }),
  outputUs: someUs,
  outputUsPerToken: fc.integer({ min: 0, max: 300 }),
});

/** A server of any limits under any open or closed load. */
export const engineRun = fc.record({
  server: serverPlan,
  overheads: fc.oneof(fc.constant(NO_OVERHEADS), busyCpu),
  fixedUs: fc.integer({ min: 1, max: 800 }),
  usPerToken: fc.double({ min: 0, max: 30, noNaN: true }),
  requests: fc.array(requestPlan, { minLength: 1, maxLength: 25 }),
  /** Closed loop of so many clients, or arrivals at their own times. */
  concurrency: fc.option(fc.integer({ min: 1, max: 6 })),
});

export type EngineRun = typeof engineRun extends fc.Arbitrary<infer T> ? T : never;

/** One step as an observer saw it. */
export interface SeenStep {
  readonly startUs: number;
  readonly endUs: number;
  readonly numTokens: number;
  readonly numRows: number;
  readonly numRunning: number;
  readonly usedFraction: number;
  readonly ids: readonly string[];
}

/** A finished run, with what its observer and its clients saw. */
export interface WatchedRun extends ServedRun {
  readonly steps: readonly SeenStep[];
  readonly workload: WatchedWorkload;
  readonly parts: ServerParts;
}

/** The run's requests, by arrival. */
export function requestsOf({ requests }: EngineRun): RequestSpec[] {
  let arrivalUs = 0;
  return requests.map((plan, index) => {
    arrivalUs += plan.gapUs;
    const shared = plan.numSharedTokens > 0 ? [{ contentId: 0, numTokens: plan.numSharedTokens }] : [];
    return requestSpec({
      id: `r${index}`,
      arrivalUs,
      promptSegments: [...shared, { contentId: 2 * index + 1, numTokens: plan.numOwnTokens }],
      maxTokens: plan.maxTokens,
      outputContentId: 2 * index + 2,
      priority: plan.priority,
      timeoutUs: plan.timeoutUs,
    });
  });
}

export function watch(run: EngineRun): WatchedRun {
  const { server, overheads, fixedUs, usPerToken, concurrency } = run;
  const specs = requestsOf(run);
  const parts = plainServer({
    ...server,
    numGpuBlocks: server.numUsableBlocks + 1,
    overheads,
    stepModel: new SimpleStepModel(fixedUs, usPerToken),
  });
  const workload = new WatchedWorkload(
    concurrency === null ? workloadFromSpecs(specs) : closedLoopWorkload(specs, concurrency),
  );
  const steps: SeenStep[] = [];
  const served = serve(parts, workload, {
    onStep({ batch, requests }, startUs: number, endUs: number, scheduler: Scheduler) {
      const { numTokens, numRequests } = batch;
      const ids = requests.slice(0, numRequests).map(({ id }) => id);
      const { numRunning, kvUsageFraction: usedFraction } = scheduler;
      steps.push({ startUs, endUs, numTokens, numRows: numRequests, numRunning, usedFraction, ids });
    },
  });
  return { ...served, steps, workload, parts };
}
