import { expect } from "vitest";
import type { Request } from "../../src/core/request/request.js";
import { ROW_NEW, ROW_RUNNING, type ScheduledStep } from "../../src/core/scheduler/scheduledStep.js";
import type { Scheduler } from "../../src/core/scheduler/scheduler.js";
import { byUrgency } from "../../src/core/scheduler/waitingQueue.js";
import { BlockTable } from "./blockKv/blockTable.js";
import { KvCacheManager } from "./blockKv/kvCacheManager.js";

/** Blocks and queues agree with each other, after any call. Numbers are those of the specification's invariants. */
export function expectConsistentState(scheduler: Scheduler, requests: readonly Request[]): void {
  const waiting = new Set(scheduler.waitingInOrder());
  const running = new Set(scheduler.running);
  expect(waiting.size).toBe(scheduler.numWaiting);
  expect(running.size).toBe(scheduler.numRunning);
  expect(running.size, "I2 residents").toBeLessThanOrEqual(scheduler.config.maxNumSeqs);
  for (const request of requests) {
    expect(running.has(request), "I2 running").toBe(request.status === "running");
    if (request.status === "preempted") expect(waiting.has(request), "I2 preempted waits").toBe(true);
    if (waiting.has(request)) expect(["waiting", "preempted"], "I2 waiting").toContain(request.status);
    expect(request.kv.numBlocks > 0, "I4 residents hold blocks").toBe(running.has(request));
    if (!running.has(request)) continue;
    const numNeeded = Math.ceil(request.numComputedTokens / scheduler.kv.config.blockSize);
    expect(request.kv.numBlocks, "I4 room").toBeGreaterThanOrEqual(numNeeded);
  }
  if (scheduler.kv instanceof KvCacheManager) expectHoldersCounted(scheduler.kv, running);
}

/** I3: a block has as many holders as tables it stands in, and is free without any. */
function expectHoldersCounted({ pool, config }: KvCacheManager, running: ReadonlySet<Request>): void {
  const holders = new Int32Array(pool.numGpuBlocks);
  for (const { kv } of running) for (const blockId of BlockTable.of(kv).toArray()) holders[blockId]!++;
  if (config.slidingWindow === 0) expect(holders[0], "I3 null block").toBe(0);
  let numHeld = 0;
  for (let blockId = 1; blockId < holders.length; blockId++) {
    expect(pool.refCnt(blockId), "I3 holders").toBe(holders[blockId]);
    if (holders[blockId]! > 0) numHeld++;
  }
  expect(numHeld + pool.numFreeBlocks, "I3 conservation").toBe(pool.numUsableBlocks);
}

/** The step keeps to the limits and to the order of its policy. */
export function expectLawfulStep(scheduler: Scheduler, step: ScheduledStep, depth: number): void {
  const { config } = scheduler;
  const { batch } = step;
  expect(batch.numRequests).toBe(step.numRequests);
  expect(batch.numTokens, "I1 budget").toBeLessThanOrEqual(config.maxNumBatchedTokens);
  let numTokens = 0;
  let numSampled = 0;
  const partial: number[] = [];
  for (let row = 0; row < step.numRequests; row++) {
    const request = step.requests[row]!;
    expect(request.status).toBe("running");
    expect(step.numNewTokens[row], "I1 entry").toBeGreaterThanOrEqual(1);
    expect(batch.numNewTokens[row]).toBe(step.numNewTokens[row]);
    expect(batch.numContextTokens[row]! + batch.numNewTokens[row]!).toBe(request.numComputedTokens);
    expect(request.numComputedTokens, "E3 last position").toBeLessThan(config.maxModelLen);
    if (batch.isDecode[row] === 1) expect(batch.numNewTokens[row]).toBe(1 + step.numDraftTokens[row]!);
    numTokens += step.numNewTokens[row]!;
    if (step.isSampled[row] === 1) numSampled += 1 + step.numDraftTokens[row]!;
    else partial.push(row);
    if (step.kind[row] !== ROW_RUNNING) {
      expect(step.numPreempted, "I9 no admission beside a preemption").toBe(0);
      expect(step.numHitTokens[row]! % scheduler.kv.config.blockSize, "I11 whole blocks").toBe(0);
      expect(step.numHitTokens[row], "I11 last token").toBeLessThan(request.numTokens);
      expect(batch.isDecode[row]).toBe(0);
    }
  }
  expect(batch.numTokens).toBe(numTokens);
  expect(batch.numSampled).toBe(numSampled);
  if (config.longPrefillTokenThreshold === 0 && depth <= 2) {
    expect(partial.length, "I14 partial prefills").toBeLessThanOrEqual(1);
    if (partial.length === 1) expect(partial[0], "I14 last").toBe(step.numRequests - 1);
  }
  expectLeastDeservingVictims(scheduler, step);
  if (step.numPreempted === 0) expectWorkConserved(scheduler, numTokens);
}

/** I8: who was preempted deserved its place less than each who was not. */
function expectLeastDeservingVictims(scheduler: Scheduler, step: ScheduledStep): void {
  if (scheduler.config.schedulingPolicy !== "priority") return;
  for (const victim of step.preempted.slice(0, step.numPreempted)) {
    for (const other of scheduler.running) expect(byUrgency(other, victim), "I8 victim").toBeLessThan(0);
  }
}

/** I13: budget left beside a waiting head means that places, blocks, adapters or splitting stood in its way. */
function expectWorkConserved(scheduler: Scheduler, numTokens: number): void {
  const { config, kv } = scheduler;
  const head = scheduler.waitingInOrder()[0];
  const numTokensLeft = config.maxNumBatchedTokens - numTokens;
  if (head === undefined || numTokensLeft === 0 || scheduler.numRunning === config.maxNumSeqs) return;
  if (config.maxLoras > 0 || !config.enableChunkedPrefill) return;
  const { blockSize } = kv.config;
  const numHits = kv.findHits(head.kv, head.numTokens, config.specUsesDraftKv);
  const threshold = config.longPrefillTokenThreshold || Number.POSITIVE_INFINITY;
  const numNewTokens = Math.min(head.numTokens - numHits * blockSize, threshold, numTokensLeft);
  const numBlocks = numHits + Math.ceil(numNewTokens / blockSize);
  expect(numBlocks + config.watermarkBlocks, "I13 blocks").toBeGreaterThan(kv.numFreeBlocks);
}

/** First admissions of a step, in batch order. */
export function firstAdmissions(step: ScheduledStep): Request[] {
  return step.requests.slice(0, step.numRequests).filter((_, row) => step.kind[row] === ROW_NEW);
}
