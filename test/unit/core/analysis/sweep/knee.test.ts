import { describe, expect, it } from "vitest";
import { changeOf, latencyKnee } from "../../../../../src/core/analysis/sweep/knee.js";

/** Loads 0.01, 0.02, … below the capacity of 1, up to `until`. */
function loads(until: number): number[] {
  return Array.from({ length: Math.round(until * 100) }, (_, i) => (i + 1) / 100);
}

const served = (until: number, latency: (rho: number) => number) =>
  loads(until).map((load) => ({ load, throughput: load, latency: latency(load) }));

const mm1 = (rho: number) => 1 / (1 - rho);
/** Pollaczek-Khinchine with constant service. */
const md1 = (rho: number) => 1 + rho / (2 * (1 - rho));

describe("the knee of latency", () => {
  it.each([0.9, 0.95, 0.99])("of an M/M/1 queue is at half of its capacity, wherever the sweep ends: %f", (until) => {
    expect(latencyKnee(served(until, mm1))).toEqual({ load: 0.5, above: 0.49, below: 0.51 });
  });

  it("of an M/D/1 queue is where one request is in the system on average", () => {
    const knee = latencyKnee(served(0.95, md1));
    const exact = 1 / (1 + Math.SQRT1_2);
    expect(knee?.load).toBeCloseTo(exact, 2);
    expect((knee?.load ?? 0) * md1(knee?.load ?? 0)).toBeCloseTo(1, 1);
  });

  it("of a server that keeps its latency up to its capacity is that capacity", () => {
    const points = loads(2).map((load) => ({
      load,
      throughput: Math.min(load, 1),
      latency: load <= 1 ? 3 : 3 + 40 * (load - 1),
    }));
    expect(latencyKnee(points)?.load).toBe(1);
  });

  it("is not there while more load still buys more than it costs, nor in two points", () => {
    expect(latencyKnee(served(0.4, mm1))).toBeNull();
    expect(latencyKnee(served(0.9, mm1).slice(-2))).toBeNull();
  });

  it("may lie below every load tried", () => {
    expect(latencyKnee(served(0.9, mm1).slice(60))).toEqual({ load: 0.61, above: null, below: 0.62 });
  });
});

describe("a change from no to yes", () => {
  const changed = (...holds: boolean[]) => changeOf(holds.map((value, i) => ({ load: i + 1, holds: value })));

  it("lies between the last no and the first yes", () => {
    expect(changed(false, false, true, true)).toEqual({ lastLoad: 2, firstLoad: 3 });
    expect(changed(true, true)).toEqual({ lastLoad: null, firstLoad: 1 });
    expect(changed(false, false)).toEqual({ lastLoad: 2, firstLoad: null });
    expect(changed()).toEqual({ lastLoad: null, firstLoad: null });
  });

  it("is not moved by one point that is out of line", () => {
    expect(changed(false, true, false, false, true, true, true)).toEqual({ lastLoad: 4, firstLoad: 5 });
    expect(changed(false, false, true, false, true, true)).toEqual({ lastLoad: 2, firstLoad: 3 });
  });
});
