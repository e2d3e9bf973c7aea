import { describe, expect, it } from "vitest";
import type { ScheduledBatch } from "../../../../../src/core/batch/scheduledBatch.js";
import { jumpCount, kvLengthSweep, mixSweep } from "../../../../../src/core/evaluation/hypotheses/syntheticSweeps.js";
import type { StepModel } from "../../../../../src/core/stepmodel/stepModel.js";

/** A step model that is a function of the batch. */
function model(us: (batch: ScheduledBatch) => number): StepModel {
  return {
    pricesLockstep: false,
    componentNames: ["all"],
    componentCategories: ["gemm"],
    gpuUs: us,
    breakdown: ({ numTokens }) => ({ numTokens, paddedTokens: numTokens, components: [], waits: [] }),
  };
}

const context = (batch: ScheduledBatch) => batch.numContextTokens[0]! + 1;
const numPrefill = (batch: ScheduledBatch) => {
  let tokens = 0;
  for (let row = 0; row < batch.numRequests; row++) if (batch.isDecode[row] === 0) tokens += batch.numNewTokens[row]!;
  return tokens;
};

describe("the KV length sweep", () => {
  it("finds where compute and memory cross: the sum of both is twice the larger there", () => {
    const computeUs = 1000;
    const memoryUs = (batch: ScheduledBatch) => context(batch);
    const pair = {
      on: model((batch) => computeUs + memoryUs(batch)),
      off: model((batch) => Math.max(computeUs, memoryUs(batch))),
    };
    const { points, largest } = kvLengthSweep(pair, 64);
    expect([points[0]!.x, points.at(-1)!.x]).toEqual([128, 8192]);
    expect(largest.kvLen).toBe(1024);
    expect(largest.differenceFraction).toBeCloseTo(1, 1);
  });
});

describe("the mix sweep", () => {
  it("runs from all decode to all prefill at a fixed number of tokens", () => {
    const seen: number[][] = [];
    const watching = model((batch) => {
      seen.push([batch.numTokens, numPrefill(batch), batch.numSampled, batch.numRequests]);
      return 1 + numPrefill(batch);
    });
    const { points, isMonotone } = mixSweep({ on: watching, off: watching }, 512);
    expect(
      seen.every(([numTokens, , numSampled, numRequests]) => numTokens === 512 && numSampled === numRequests),
    ).toBe(true);
    expect(points.map(({ x }) => x).filter((x) => x === 0 || x === 0.5 || x === 1)).toEqual([0, 0.5, 1]);
    expect([Math.min(...seen.map(([, tokens]) => tokens!)), Math.max(...seen.map(([, tokens]) => tokens!))]).toEqual([
      0, 512,
    ]);
    expect(isMonotone).toBe(true);
  });

  it("tells a price that turns, and the difference in the middle", () => {
    const hill = model((batch) => 1000 + numPrefill(batch) * (512 - numPrefill(batch)));
    const flat = model(() => 1000);
    const { isMonotone, differenceFractionAtHalf } = mixSweep({ on: hill, off: flat }, 512);
    expect(isMonotone).toBe(false);
    expect(differenceFractionAtHalf).toBeCloseTo((256 * 256) / 1000, 9);
  });
});

describe("the jump count", () => {
  it("sees no jump in a price that grows in a straight line, however steeply", () => {
    const steep = model((batch) => 10 + batch.numRequests * context(batch));
    const { numTriples, numJumpsOn } = jumpCount({ on: steep, off: steep });
    expect(numTriples).toBe(256 * 125 + 254 * 127);
    expect(numJumpsOn).toBe(0);
  });

  it("counts every step of a staircase once, and not again where the line goes on behind it", () => {
    const staircase = model((batch) => (batch.numRequests <= 100 ? 1000 : 1100));
    const smooth = model((batch) => 1000 + batch.numRequests);
    const { numJumpsOn, numJumpsOff, byBatch } = jumpCount({ on: smooth, off: staircase });
    expect(numJumpsOn).toBe(0);
    // The 101st request jumps up, at each of 127 contexts.
    expect(numJumpsOff).toBe(127);
    expect(byBatch.map(({ x }) => x)).toEqual(Array.from({ length: 256 }, (_, i) => i + 1));
  });

  it("counts two steps in a row as two, one that returns as two, and both directions of the grid", () => {
    const price = (of: (numRequests: number) => number) => model((batch) => of(batch.numRequests));
    const twice = price((numRequests) => (numRequests < 50 ? 1000 : numRequests < 51 ? 1100 : 1200));
    const spike = price((numRequests) => (numRequests < 50 || numRequests > 52 ? 1000 : 1100));
    expect(jumpCount({ on: spike, off: twice })).toMatchObject({ numJumpsOn: 2 * 127, numJumpsOff: 2 * 127 });
    const longContexts = model((batch) => (context(batch) < 4000 ? 1000 : 1100));
    expect(jumpCount({ on: longContexts, off: longContexts }).numJumpsOn).toBe(256);
  });
});
