import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type LoadSample, TimeSlices } from "../../../../src/core/analysis/timeSlices.js";

const sample = fc.record({
  startUs: fc.integer({ min: 0, max: 1e9 }),
  gpuUs: fc.integer({ min: 1, max: 50_000 }),
  kvFraction: fc.double({ min: 0, max: 1, noNaN: true }),
  running: fc.integer({ min: 1, max: 256 }),
  waiting: fc.integer({ min: 0, max: 99 }),
});

describe("a run in slices of time", () => {
  it("is the same as if its final slices had been known from the start", () => {
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 60 }), (unordered) => {
        const samples = [...unordered].sort((a, b) => a.startUs - b.startUs);
        const slices = new TimeSlices(10);
        for (const one of samples) slices.add(one);
        const all = slices.slices();
        expect(all.length).toBeLessThanOrEqual(10);
        for (const { startUs, endUs, gpuUs, kvFraction, running, waiting } of all) {
          const inside = samples.filter((one) => startUs <= one.startUs && one.startUs < endUs);
          const mean = (of: (one: LoadSample) => number) =>
            inside.reduce((sum, one) => sum + of(one) * one.gpuUs, 0) / gpuUs;
          expect(gpuUs).toBe(inside.reduce((sum, one) => sum + one.gpuUs, 0));
          if (inside.length === 0) {
            expect([kvFraction, running, waiting]).toEqual([null, null, null]);
            continue;
          }
          expect(kvFraction).toBeCloseTo(
            mean((one) => one.kvFraction),
            9,
          );
          expect(running).toBeCloseTo(
            mean((one) => one.running),
            6,
          );
          expect(waiting).toBe(Math.max(...inside.map((one) => one.waiting)));
        }
        expect(all.reduce((sum, { gpuUs }) => sum + gpuUs, 0)).toBe(samples.reduce((sum, one) => sum + one.gpuUs, 0));
      }),
      { seed: 20261126, numRuns: 200 },
    );
  });

  it("uses at least half of its slices once a run is long", () => {
    const slices = new TimeSlices(60);
    for (let startUs = 0; startUs < 1e8; startUs += 30_000) {
      slices.add({ startUs, gpuUs: 30_000, kvFraction: 0.5, running: 3, waiting: 0 });
    }
    expect(slices.slices().length).toBeGreaterThanOrEqual(30);
    expect(slices.slices().at(-1)!.endUs).toBeGreaterThanOrEqual(1e8 - 30_000);
  });

  it("has nothing to show of nothing, nor a mean of no time", () => {
    const slices = new TimeSlices();
    expect(slices.slices()).toEqual([]);
    slices.add({ startUs: 0, gpuUs: 0, kvFraction: 0.5, running: 3, waiting: 0 });
    expect(slices.slices()).toEqual([
      { startUs: 0, endUs: 1000, gpuUs: 0, kvFraction: null, running: null, waiting: null },
    ]);
  });
});
