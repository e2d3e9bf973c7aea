import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LatencyGrid } from "../../../../../src/core/kernels/tables/latencyGrid.js";

/** A GEMM-like roof: FLOPs against bytes, 1 µs per unit. */
const floorUs = ([m, n]: readonly number[]) => Math.max(m! * n!, 40 * (m! + n!)) / 1000;
const AXES = [
  { min: 1, max: 65536 },
  { min: 16, max: 65536 },
];

/** Rows with a fixed cost and an efficiency that rises with the work. */
function plausibleRows(ms: readonly number[], ns: readonly number[]) {
  return ms.flatMap((m) => ns.map((n) => ({ at: [m, n], us: 3 + floorUs([m, n]) / 0.8 })));
}

const rowsArbitrary = fc.array(
  fc.record({
    at: fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 16, max: 3000 })),
    slowdown: fc.double({ min: 1, max: 30, noNaN: true }),
  }),
  { minLength: 1, maxLength: 25 },
);
const FAST_CHECK = { seed: 20260221, numRuns: 150 };

describe("LatencyGrid", () => {
  it("returns a row's latency exactly where rows rise", () => {
    const rows = plausibleRows([1, 8, 64, 512, 4096], [256, 1000, 4096]);
    const grid = new LatencyGrid(rows, AXES, floorUs);
    for (const { at, us } of rows) expect(grid.read(at)).toEqual({ us, isExtrapolated: false });
    expect(grid.numRows).toBe(15);
    expect(grid.numSmoothedRows).toBe(0);
  });

  it("lies strictly between its neighbours, so is neither of them", () => {
    const grid = new LatencyGrid(plausibleRows([64, 512], [1024, 4096]), AXES, floorUs);
    const { us } = grid.read([180, 2048]);
    expect(us).toBeGreaterThan(grid.read([64, 1024]).us);
    expect(us).toBeLessThan(grid.read([512, 4096]).us);
    expect(grid.read([181, 2048]).us).toBeGreaterThan(us);
  });

  it("interpolates a power law without error", () => {
    const rows = [16, 64, 1024].map((m) => ({ at: [m, 512], us: 0.9 * m ** 0.7 + 0 }));
    const grid = new LatencyGrid(rows, AXES, () => 1e-6);
    expect(grid.read([200, 512]).us).toBeCloseTo(0.9 * 200 ** 0.7, 9);
  });

  it("never falls when a coordinate grows, and never goes below the floor, whatever the rows", () => {
    const coordinate = fc.double({ min: 1, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(
        rowsArbitrary,
        coordinate,
        coordinate,
        fc.double({ min: 1, max: 50, noNaN: true }),
        (rows, m, n, by) => {
          const points = rows.map(({ at, slowdown }) => ({ at, us: floorUs(at) * slowdown }));
          const grid = new LatencyGrid(points, AXES, floorUs, (at) => 3 + floorUs(at) / 0.7);
          const { us } = grid.read([m, n]);
          const slack = 1 + 1e-9;
          expect(grid.read([m * by, n]).us * slack).toBeGreaterThanOrEqual(us);
          expect(grid.read([m, n * by]).us * slack).toBeGreaterThanOrEqual(us);
          if (n >= 16) expect(us * slack).toBeGreaterThanOrEqual(floorUs([m, n]));
        },
      ),
      FAST_CHECK,
    );
  });

  it("keeps every row that contradicts no other", () => {
    fc.assert(
      fc.property(rowsArbitrary, (rows) => {
        const unique = [...new Map(rows.map((row) => [row.at.join(" "), row])).values()];
        const points = unique.map(({ at, slowdown }) => ({ at, us: floorUs(at) * slowdown }));
        const grid = new LatencyGrid(points, AXES, floorUs);
        const isBelow = (a: readonly number[], b: readonly number[]) => a.every((value, axis) => value <= b[axis]!);
        for (const { at, us } of points) {
          const contradicts = points.some(
            (other) => (isBelow(other.at, at) && other.us > us) || (isBelow(at, other.at) && other.us < us),
          );
          if (!contradicts) expect(grid.read(at).us).toBe(us);
        }
      }),
      FAST_CHECK,
    );
  });

  it("carries how rows compare with the model beyond them, half of it to four times the size, and says so", () => {
    const modelUs = (at: readonly number[]) => 3 + floorUs(at) / 0.7;
    const row = { at: [512, 1024], us: 1.5 * modelUs([512, 1024]) };
    const grid = new LatencyGrid([row], AXES, floorUs, modelUs);
    const timesModel = (at: readonly number[]) => grid.read(at).us / modelUs(at);
    for (const at of [
      [2048, 1024],
      [128, 1024],
      [512, 4096],
      [512, 256],
    ]) {
      expect(grid.read(at).isExtrapolated).toBe(true);
      expect(timesModel(at)).toBeCloseTo(1.5 ** 0.5, 9);
    }
    expect(timesModel([512 * 2, 1024])).toBeGreaterThan(timesModel([512 * 4, 1024]));
    expect(timesModel([1, 16])).toBeCloseTo(1, 1);
    expect(timesModel([65536, 65536])).toBeCloseTo(1, 1);
  });

  it("holds what it carries to the floor", () => {
    const modelUs = (at: readonly number[]) => 1.1 * floorUs(at);
    const half = { at: [512, 1024], us: floorUs([512, 1024]) };
    const grid = new LatencyGrid([half], AXES, floorUs, (at) => (at[0] === 512 ? 4 : 1) * modelUs(at));
    expect(grid.read([1024, 1024]).us).toBe(floorUs([1024, 1024]));
  });

  it("fills shapes between scattered ones from all of them, the near ones most", () => {
    const rows = [
      { at: [64, 256], us: floorUs([64, 256]) / 0.8 },
      { at: [64, 4096], us: floorUs([64, 4096]) / 0.4 },
      { at: [128, 1024], us: floorUs([128, 1024]) / 0.5 },
    ];
    const grid = new LatencyGrid(rows, AXES, floorUs);
    const efficiency = floorUs([64, 1024]) / grid.read([64, 1024]).us;
    expect(efficiency).toBeGreaterThan(0.4);
    expect(efficiency).toBeLessThan(0.8);
  });

  it("drops a spike to the larger shape that undercuts it, and leaves the rest alone", () => {
    const rows = plausibleRows([1, 8, 64, 512], [1024]);
    const spiked = rows.map((row, i) => (i === 1 ? { ...row, us: 9 * row.us } : row));
    const grid = new LatencyGrid(spiked, AXES, floorUs);
    expect(grid.read([8, 1024]).us).toBe(rows[2]!.us);
    expect(grid.read([64, 1024]).us).toBe(rows[2]!.us);
    expect(grid.read([1, 1024]).us).toBe(rows[0]!.us);
    expect(grid.numSmoothedRows).toBe(1);
  });

  it("meets in the middle where noise makes a larger shape a little faster", () => {
    const grid = new LatencyGrid(
      [
        { at: [100, 1024], us: 300 },
        { at: [110, 1024], us: 280 },
      ],
      AXES,
      floorUs,
    );
    expect(grid.read([100, 1024]).us).toBeCloseTo(Math.sqrt(300 * 280), 9);
    expect(grid.read([110, 1024]).us).toBeCloseTo(Math.sqrt(300 * 280), 9);
  });

  it("takes the median of repeated shapes", () => {
    const rows = [7000, 6000, 9000].map((us) => ({ at: [64, 1024], us }));
    expect(new LatencyGrid(rows, AXES, floorUs).read([64, 1024]).us).toBe(7000);
  });
});
