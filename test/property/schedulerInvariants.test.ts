import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ExtentKvCache } from "../../src/core/kv/extentKvCache.js";
import { Request } from "../../src/core/request/request.js";
import { requestSpec } from "../../src/core/request/requestSpec.js";
import { Scheduler } from "../../src/core/scheduler/scheduler.js";
import { schedulerConfig } from "../../src/core/scheduler/schedulerConfig.js";
import { BlockPool } from "../reference/blockKv/blockPool.js";
import { KvCacheManager } from "../reference/blockKv/kvCacheManager.js";
import { type Arrival, runEngineLoop } from "../reference/engineLoop.js";
import { expectConsistentState, expectLawfulStep, firstAdmissions } from "../reference/schedulerInvariants.js";

const SEED = 20_251_117;

const requestArbitrary = fc.record({
  arriveStep: fc.integer({ min: 1, max: 5 }),
  /** Prefix shared by all requests that have one, then tokens of its own. */
  numSharedTokens: fc.integer({ min: 0, max: 12 }),
  numOwnTokens: fc.integer({ min: 1, max: 9 }),
  maxTokens: fc.integer({ min: 1, max: 20 }),
  priority: fc.integer({ min: 0, max: 2 }),
  lora: fc.option(fc.constantFrom("a", "b", "c")),
  draws: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 10 }),
  abortStep: fc.option(fc.integer({ min: 1, max: 30 }), { freq: 6 }),
});

const configArbitrary = fc
  .record({
    maxNumSeqs: fc.integer({ min: 1, max: 8 }),
    extraBudget: fc.integer({ min: 0, max: 24 }),
    blockSize: fc.integer({ min: 2, max: 5 }),
    numUsableBlocks: fc.integer({ min: 8, max: 14 }),
    maxModelLen: fc.integer({ min: 8, max: 40 }),
    enablePrefixCaching: fc.boolean(),
    slidingWindow: fc.option(fc.integer({ min: 1, max: 12 }), { nil: 0, freq: 3 }),
    enableChunkedPrefill: fc.boolean(),
    noChunkRule: fc.constantFrom("stop", "skip"),
    longPrefillTokenThreshold: fc.option(fc.integer({ min: 1, max: 9 }), { nil: 0, freq: 3 }),
    schedulingPolicy: fc.constantFrom("fcfs", "priority"),
    asyncScheduling: fc.boolean(),
    /** Pipeline stages; asynchronous scheduling has two steps in flight. */
    depth: fc.integer({ min: 1, max: 4 }),
    numSpecTokens: fc.option(fc.integer({ min: 1, max: 3 }), { nil: 0 }),
    specUsesDraftKv: fc.boolean(),
    maxLoras: fc.option(fc.integer({ min: 1, max: 2 }), { nil: 0, freq: 3 }),
    watermarkBlocks: fc.option(fc.integer({ min: 1, max: 2 }), { nil: 0, freq: 3 }),
  } as const)
  .map((fields) => ({
    ...fields,
    depth: fields.asyncScheduling ? 2 : fields.depth,
    // vLLM refuses to start without chunking unless the longest prompt fits in a step.
    maxNumBatchedTokens: fields.enableChunkedPrefill
      ? fields.maxNumSeqs + fields.extraBudget
      : Math.max(fields.maxNumSeqs, fields.maxModelLen) + fields.extraBudget,
  }));

const workloadArbitrary = fc.record({
  config: configArbitrary,
  requests: fc.array(requestArbitrary, { minLength: 2, maxLength: 10 }),
});

type Workload = typeof workloadArbitrary extends fc.Arbitrary<infer T> ? T : never;
type Plan = Workload["requests"][number];

/** Over extents, unless only blocks will do: for a window, or on demand. */
function build({ config, requests }: Workload, needsBlocks = config.slidingWindow > 0) {
  const kv = needsBlocks
    ? new KvCacheManager(new BlockPool(config.numUsableBlocks + 1), config)
    : new ExtentKvCache(config.numUsableBlocks, config);
  const scheduler = new Scheduler(schedulerConfig(config), kv);
  const plans = [...requests].sort((a, b) => a.arriveStep - b.arriveStep);
  const planOf = new Map<Request, Plan>();
  const arrivals: Arrival[] = [];
  plans.forEach((plan, index) => {
    const draws = [...plan.draws];
    const shared = plan.numSharedTokens > 0 ? [{ contentId: 0, numTokens: plan.numSharedTokens }] : [];
    const spec = requestSpec({
      id: `r${index}`,
      arrivalUs: 0,
      promptSegments: [...shared, { contentId: 2 * index + 1, numTokens: plan.numOwnTokens }],
      maxTokens: plan.maxTokens,
      outputContentId: 2 * index + 2,
      priority: plan.priority,
      lora: plan.lora,
    });
    if (scheduler.rejectionReason(spec) !== null) return;
    const request = new Request(spec, index, () => draws.shift() ?? 0);
    planOf.set(request, plan);
    arrivals.push({ request, arriveStep: plan.arriveStep });
  });
  return { scheduler, arrivals, planOf };
}

/** What the accounts of one request must add up to. */
interface Account {
  numScheduled: number;
  numHits: number;
  numRejected: number;
}

/** Runs a workload with every invariant checked after every call. @returns what happened, as text */
function runChecked(workload: Workload, needsBlocks?: boolean): string[] {
  const { scheduler, arrivals, planOf } = build(workload, needsBlocks);
  const { config } = workload;
  const requests = arrivals.map((arrival) => arrival.request);
  const accounts = new Map<Request, Account>(
    requests.map((request) => [request, { numScheduled: 0, numHits: 0, numRejected: 0 }]),
  );
  const admitted: Request[] = [];
  const trace: string[] = [];
  let mustAdmit: Request | null = null;
  const computedBefore = new Map<Request, number>();
  runEngineLoop(scheduler, arrivals, config.depth, {
    beforeSchedule: (nextStep, numInFlight) => {
      for (const request of requests) {
        const plan = planOf.get(request)!;
        if (plan.abortStep === nextStep && plan.arriveStep <= nextStep && scheduler.abort(request)) {
          expectConsistentState(scheduler, requests);
        }
      }
      const isIdle = scheduler.numRunning === 0 && numInFlight === 0;
      mustAdmit = isIdle ? (scheduler.waitingInOrder()[0] ?? null) : null;
    },
    afterSchedule: (step, stepNumber) => {
      expectConsistentState(scheduler, requests);
      expectLawfulStep(scheduler, step, config.depth);
      if (mustAdmit !== null) expect(step.requests[0], "I10 progress").toBe(mustAdmit);
      admitted.push(...firstAdmissions(step));
      for (let row = 0; row < step.numRequests; row++) {
        const account = accounts.get(step.requests[row]!)!;
        account.numScheduled += step.numNewTokens[row]!;
        account.numHits += step.numHitTokens[row]!;
        trace.push(`${stepNumber} ${step.requests[row]!.id}:${step.numNewTokens[row]}`);
      }
    },
    beforeUpdate: () => {
      for (const request of requests) computedBefore.set(request, request.numComputedTokens);
    },
    afterUpdate: (step) => {
      expectConsistentState(scheduler, requests);
      for (const request of requests) {
        accounts.get(request)!.numRejected += computedBefore.get(request)! - request.numComputedTokens;
      }
      for (let row = 0; row < step.numRequests; row++) {
        const numMost = step.isSampled[row] === 1 ? 1 + step.numDraftTokens[row]! : 0;
        expect(step.numTokensOut[row], "I6 tokens of a row").toBeLessThanOrEqual(numMost);
      }
    },
  });
  expect(scheduler.hasRequests).toBe(false);
  expect(scheduler.kv.numFreeBlocks, "I12 all free").toBe(scheduler.kv.numUsableBlocks);
  for (const request of requests) expectSettled(request, accounts.get(request)!, workload);
  const keepsOrder = config.maxLoras === 0 && config.schedulingPolicy === "fcfs" && config.enableChunkedPrefill;
  if (keepsOrder) {
    const order = admitted.map((request) => request.arrivalSequence);
    expect(order, "I8 first come first served").toEqual([...order].sort((a, b) => a - b));
  }
  return trace;
}

/** I5 and I6 for one request at the end of the run. */
function expectSettled(request: Request, account: Account, { config }: Workload): void {
  const { numHits, numRejected, numScheduled } = account;
  expect(numScheduled, "I5 accounts").toBe(
    request.numComputedTokens - numHits + request.numRecomputedTokens + numRejected,
  );
  if (request.status === "aborted") return;
  expect(request.status).toBe("finished");
  expect(request.numOutputTokens, "I6 output").toBe(
    Math.min(request.maxTokens, config.maxModelLen - request.numPromptTokens),
  );
  if (config.numSpecTokens > 0) return;
  expect(request.numOutputPlaceholders).toBe(0);
  // A request that was preempted while its last token was in flight ends with nothing computed.
  expect([0, request.numTokens - 1], "I5 nothing wasted").toContain(request.numComputedTokens);
  if (request.numPreemptions === 0) expect(numScheduled).toBe(request.numTokens - 1 - request.numCachedTokens);
}

describe("the scheduler, on any workload", () => {
  it("keeps every invariant after every schedule and update, and ends", () => {
    fc.assert(
      fc.property(workloadArbitrary, (workload) => {
        runChecked(workload);
      }),
      { seed: SEED, numRuns: 350 },
    );
  });

  it("plans the same steps for the same workload, over extents or over blocks", () => {
    fc.assert(
      fc.property(workloadArbitrary, (workload) => {
        expect(runChecked(workload)).toEqual(runChecked(workload, true));
      }),
      { seed: SEED + 1, numRuns: 40 },
    );
  });

  it("meets preemption, prefix hits and drafts on these workloads, so that the laws are not empty", () => {
    let numPreempted = 0;
    let numHitTokens = 0;
    let numDraftTokens = 0;
    let numRejected = 0;
    for (const workload of fc.sample(workloadArbitrary, { seed: SEED, numRuns: 200 })) {
      const { scheduler, arrivals } = build(workload);
      numRejected += workload.requests.length - arrivals.length;
      runEngineLoop(scheduler, arrivals, workload.config.depth, {
        afterSchedule: (step) => {
          numPreempted += step.numPreempted;
          for (let row = 0; row < step.numRequests; row++) {
            numHitTokens += step.numHitTokens[row]!;
            numDraftTokens += step.numDraftTokens[row]!;
          }
        },
      });
    }
    expect(numPreempted).toBeGreaterThan(100);
    expect(numHitTokens).toBeGreaterThan(300);
    expect(numDraftTokens).toBeGreaterThan(500);
    expect(numRejected).toBeGreaterThan(20);
  });
});
