import { describe, expect, it } from "vitest";
import { SERIES_COLORS } from "../../../src/report/colors.js";
import { type Box, labelMoves } from "../../../src/report/labelBoxes.js";
import { labelPlaces } from "../../../src/report/labelPlaces.js";
import { MOST_DRAWN_SERVERS } from "../../../src/report/sweepSections.js";

describe("labels below each other", () => {
  it("stay where they are when they stand apart", () => {
    expect(labelPlaces([80, 10, 40], 14, 0, 100)).toEqual([80, 10, 40]);
  });

  it("move apart in their order, and stay inside where there is room for all", () => {
    const places = labelPlaces([50, 50, 51, 98, 99], 14, 0, 100);
    const sorted = [...places].sort((a, b) => a - b);
    expect(places).toEqual(sorted);
    for (const [i, place] of sorted.entries()) {
      expect(place).toBeGreaterThanOrEqual(0);
      expect(place).toBeLessThanOrEqual(100);
      if (i > 0) expect(place - sorted[i - 1]!).toBeGreaterThanOrEqual(14);
    }
  });
});

describe("labels beside dots", () => {
  const box = (left: number, top: number): Box => ({ left, top, width: 50, height: 14 });
  const isCovered = (a: Box, b: Box) => Math.abs(a.left - b.left) < 50 && Math.abs(a.top - b.top) < 14;

  it("move only where they cover something, and then cover nothing", () => {
    const labels = [box(0, 50), box(200, 50), box(10, 52), box(20, 48)];
    const moves = labelMoves(labels, [box(0, 90)]);
    expect(moves.slice(0, 2)).toEqual([0, 0]);
    const moved = labels.map((label, i) => ({ ...label, top: label.top + moves[i]! }));
    for (const [i, a] of moved.entries()) {
      for (const b of [...moved.slice(i + 1), box(0, 90)]) expect(isCovered(a, b)).toBe(false);
    }
  });

  it("stay where no place near by is free", () => {
    const taken = Array.from({ length: 20 }, (_, i) => box(0, 7 * i));
    expect(labelMoves([box(0, 60)], taken)).toEqual([0]);
  });
});

describe("the colours of servers", () => {
  it("are one for each that is drawn", () => {
    expect(new Set(SERIES_COLORS).size).toBe(MOST_DRAWN_SERVERS);
  });
});
