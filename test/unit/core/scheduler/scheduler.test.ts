import { describe, expect, it } from "vitest";
import { ExtentKvCache } from "../../../../src/core/kv/extentKvCache.js";
import { Request } from "../../../../src/core/request/request.js";
import { requestSpec } from "../../../../src/core/request/requestSpec.js";
import { ROW_NEW, ScheduledStep } from "../../../../src/core/scheduler/scheduledStep.js";
import { Scheduler } from "../../../../src/core/scheduler/scheduler.js";
import { type SchedulerConfig, schedulerConfig } from "../../../../src/core/scheduler/schedulerConfig.js";
import { runEngineLoop } from "../../../reference/engineLoop.js";

function schedulerWith(
  fields: Partial<SchedulerConfig> = {},
  numUsableBlocks = 32,
  enablePrefixCaching = false,
): Scheduler {
  const kv = new ExtentKvCache(numUsableBlocks, { blockSize: 4, enablePrefixCaching });
  const config = schedulerConfig({ maxNumSeqs: 4, maxNumBatchedTokens: 16, maxModelLen: 64, ...fields });
  return new Scheduler(config, kv);
}

let nextSequence = 0;

function request(numPromptTokens: number, maxTokens: number): Request {
  const sequence = nextSequence++;
  const promptSegments = [{ contentId: 2 * sequence, numTokens: numPromptTokens }];
  const id = `r${sequence}`;
  return new Request(
    requestSpec({ id, arrivalUs: 0, promptSegments, maxTokens, outputContentId: 2 * sequence + 1 }),
    sequence,
  );
}

/** Runs a first turn alone, to its end. @returns tokens of it that a second turn, which repeats it all, finds cached */
function numCachedOfTurn(fields: Partial<SchedulerConfig>, depth: number, first: Request): number {
  const scheduler = schedulerWith(fields, 32, true);
  runEngineLoop(scheduler, [{ request: first, arriveStep: 1 }], depth, {});
  const promptSegments = [
    ...first.spec.promptSegments,
    { contentId: first.spec.outputContentId, numTokens: 40 - first.numPromptTokens },
  ];
  const second = new Request(
    requestSpec({ id: "second", arrivalUs: 0, promptSegments, maxTokens: 1, outputContentId: 1e6 }),
    nextSequence++,
  );
  scheduler.add(second);
  scheduler.schedule(new ScheduledStep(4));
  return second.numCachedTokens;
}

describe("Scheduler", () => {
  it("describes chunks and decodes to the step model", () => {
    const scheduler = schedulerWith();
    const step = new ScheduledStep(4);
    const decoding = request(3, 4);
    scheduler.add(decoding);
    scheduler.schedule(step);
    expect(step.kind[0]).toBe(ROW_NEW);
    scheduler.update(step);
    expect(step.numTokensOut[0]).toBe(1);
    scheduler.add(request(20, 1));
    scheduler.schedule(step);
    expect([...step.batch.numNewTokens.subarray(0, 2)]).toEqual([1, 15]);
    expect([...step.batch.isDecode.subarray(0, 2)]).toEqual([1, 0]);
    expect(step.batch.numSampled).toBe(1);
    scheduler.update(step);
    scheduler.schedule(step);
    expect([...step.batch.numNewTokens.subarray(0, 2)]).toEqual([1, 5]);
    expect([...step.batch.numContextTokens.subarray(0, 2)]).toEqual([4, 15]);
    expect([...step.batch.isDecode.subarray(0, 2)]).toEqual([1, 0]);
    expect(step.batch.numSampled).toBe(2);
  });

  it("calls the last token of a prompt a prefill, even when it comes alone", () => {
    const scheduler = schedulerWith();
    const step = new ScheduledStep(4);
    scheduler.add(request(17, 2));
    for (const [numNewTokens, isDecode] of [
      [16, 0],
      [1, 0],
      [1, 1],
    ]) {
      scheduler.schedule(step);
      expect(step.batch.numNewTokens[0]).toBe(numNewTokens);
      expect(step.batch.isDecode[0]).toBe(isDecode);
      scheduler.update(step);
    }
    expect(step.numFinished).toBe(1);
  });

  it("reports a finish with its step and frees the blocks", () => {
    const scheduler = schedulerWith();
    const step = new ScheduledStep(4);
    const only = request(5, 1);
    scheduler.add(only);
    scheduler.schedule(step);
    expect(scheduler.kvUsageFraction).toBeCloseTo(2 / 32, 12);
    scheduler.update(step);
    expect(step.finished.slice(0, step.numFinished)).toEqual([only]);
    expect(only.status).toBe("finished");
    expect(scheduler.hasRequests).toBe(false);
    expect(scheduler.kvUsageFraction).toBe(0);
  });

  it("takes a running request out at once and ignores its step in flight", () => {
    const scheduler = schedulerWith();
    const step = new ScheduledStep(4);
    const [leaver, stayer] = [request(4, 5), request(4, 5)];
    scheduler.add(leaver);
    scheduler.add(stayer);
    scheduler.schedule(step);
    expect(scheduler.abort(leaver)).toBe(true);
    expect(scheduler.kv.numFreeBlocks).toBe(31);
    expect(scheduler.running).toEqual([stayer]);
    scheduler.update(step);
    expect([...step.numTokensOut.subarray(0, 2)]).toEqual([0, 1]);
    expect(leaver.numOutputTokens).toBe(0);
    expect(scheduler.abort(leaver)).toBe(false);
  });

  it.each(["fcfs", "priority"] as const)("takes a waiting request out (%s)", (schedulingPolicy) => {
    const scheduler = schedulerWith({ schedulingPolicy, maxNumSeqs: 1 });
    const step = new ScheduledStep(1);
    const [first, second, third] = [request(4, 2), request(4, 1), request(4, 1)];
    for (const each of [first, second, third]) scheduler.add(each);
    scheduler.schedule(step);
    scheduler.update(step);
    expect(scheduler.abort(second)).toBe(true);
    expect(scheduler.waitingInOrder()).toEqual([third]);
    expect(second.status).toBe("aborted");
  });

  it("leaves the watermark free on admission, not on growth", () => {
    const scheduler = schedulerWith({ watermarkBlocks: 2 }, 4);
    const step = new ScheduledStep(4);
    scheduler.add(request(4, 8));
    scheduler.add(request(8, 1));
    scheduler.schedule(step);
    expect(step.numRequests).toBe(1);
    for (let i = 0; i < 7; i++) {
      scheduler.update(step);
      scheduler.schedule(step);
    }
    expect(scheduler.running[0]?.kv.numBlocks).toBe(3);
  });

  it("names what can never be served, and serves what it does not name", () => {
    const scheduler = schedulerWith({}, 10);
    expect(scheduler.rejectionReason({ numPromptTokens: 0, maxTokens: 1 })).toContain("empty");
    expect(scheduler.rejectionReason({ numPromptTokens: 1, maxTokens: 0 })).toContain("maxTokens");
    expect(scheduler.rejectionReason({ numPromptTokens: 64, maxTokens: 1 })).toContain("maxModelLen 64");
    expect(scheduler.rejectionReason({ numPromptTokens: 20, maxTokens: 21 })).toContain("11 KV blocks");
    expect(scheduler.rejectionReason({ numPromptTokens: 20, maxTokens: 20 })).toBeNull();
    const whole = schedulerWith({ enableChunkedPrefill: false }, 10);
    expect(whole.rejectionReason({ numPromptTokens: 17, maxTokens: 1 })).toContain("maxNumBatchedTokens 16");
    expect(whole.rejectionReason({ numPromptTokens: 16, maxTokens: 1 })).toBeNull();
  });

  it("names a prompt whose last chunk leaves no room for the drafter", () => {
    const config = { numSpecTokens: 3, maxNumBatchedTokens: 8 };
    const lengths = { numPromptTokens: 11, maxTokens: 1 };
    expect(schedulerWith({ ...config, specUsesDraftKv: true }, 3).rejectionReason(lengths)).toContain("KV blocks");
    const scheduler = schedulerWith(config, 3);
    expect(scheduler.rejectionReason(lengths)).toBeNull();
    const served = request(11, 1);
    runEngineLoop(scheduler, [{ request: served, arriveStep: 1 }], 1, {});
    expect(served.status).toBe("finished");
  });

  it.each([
    { asyncScheduling: false, depth: 1 },
    { asyncScheduling: true, depth: 2 },
  ])("caches generated blocks for the next turn, all but the last token (%o)", ({ asyncScheduling, depth }) => {
    for (const [maxTokens, numCached] of [
      [4, 4],
      [5, 8],
      [8, 8],
      [9, 12],
    ] as const) {
      expect(numCachedOfTurn({ asyncScheduling }, depth, request(4, maxTokens))).toBe(numCached);
    }
  });

  it.each([
    { asyncScheduling: false, depth: 1 },
    { asyncScheduling: true, depth: 2 },
  ])("caches no block of accepted drafts beyond the stop (%o)", ({ asyncScheduling, depth }) => {
    const { spec, arrivalSequence } = request(4, 3);
    const first = new Request(spec, arrivalSequence, () => 3);
    expect(numCachedOfTurn({ asyncScheduling, numSpecTokens: 3 }, depth, first)).toBe(4);
  });

  it("caps growth by maxModelLen when judging what fits", () => {
    const scheduler = schedulerWith({ maxModelLen: 40 }, 10);
    expect(scheduler.rejectionReason({ numPromptTokens: 20, maxTokens: 1e9 })).toBeNull();
  });
});
