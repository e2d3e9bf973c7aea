import { describe, expect, it } from "vitest";
import { logTicks } from "../../../src/report/logTicks.js";
import {
  printChange,
  printCount,
  printFraction,
  printMs,
  printUs,
  tickMs,
  timeUnit,
  withUnitsKept,
} from "../../../src/report/numbers.js";

/** Spaces that do not break, as plain ones. */
const plain = (text: string) => text.replaceAll("\u00a0", " ");

describe("numbers of a report", () => {
  it.each([
    [0, "0 ms"],
    [0.0412, "0.041 ms"],
    [0.4242, "0.42 ms"],
    [9.99, "9.99 ms"],
    [31.66, "31.7 ms"],
    [999.4, "999 ms"],
    [999.6, "1.00 s"],
    [20_900, "20.9 s"],
    [1_234_567, "1,235 s"],
    [null, "–"],
    [Number.NaN, "–"],
  ])("print %s ms as %s", (ms, text) => {
    expect(plain(printMs(ms))).toBe(text);
  });

  it("print times, shares, changes and counts with what they need", () => {
    expect(plain(printUs(24.6))).toBe("24.6 µs");
    expect(plain(printUs(5930))).toBe("5.93 ms");
    expect([0.034, 0.412, null].map((share) => plain(printFraction(share)))).toEqual(["3.4 %", "41 %", "–"]);
    expect([0.034, -0.69, 0.0001].map((change) => plain(printChange(change)))).toEqual(["+3.4 %", "−69 %", "0 %"]);
    expect([7, 26_633, 3264.4, 0.66].map(printCount)).toEqual(["7", "26,633", "3,264", "0.66"]);
    expect([0, 0.5, 200, 1500].map((ms) => plain(tickMs(ms)))).toEqual(["0", "0.5 ms", "200 ms", "1.5 s"]);
    expect([30, 3600, 90_000].map((spanS) => timeUnit(spanS).name)).toEqual(["s", "min", "h"]);
  });

  it("keep a unit on the line of its number, and leave words alone", () => {
    expect(withUnitsKept("in 5 ms, 99 % of 3 steps")).toBe("in 5\u00a0ms, 99\u00a0% of 3 steps");
  });
});

describe("ticks of a logarithmic axis", () => {
  it.each([
    [1, 1000, 6],
    [0.02, 90_000, 4],
    [12, 47, 5],
    [500, 2500, 3],
  ])("from %s to %s lie inside it, round and apart", (low, high, maxTicks) => {
    const ticks = logTicks([low, high], maxTicks);
    expect(ticks.length).toBeGreaterThan(0);
    for (const [i, tick] of ticks.entries()) {
      expect(tick).toBeGreaterThanOrEqual(low);
      expect(tick).toBeLessThanOrEqual(high);
      expect(Number(tick.toPrecision(2))).toBe(tick);
      if (i > 0) expect(tick / ticks[i - 1]!).toBeGreaterThanOrEqual((high / low) ** (1 / maxTicks));
    }
  });
});
