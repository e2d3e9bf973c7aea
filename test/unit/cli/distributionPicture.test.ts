import { describe, expect, test } from "vitest";
import { distributionPicture } from "../../../src/cli/distributionPicture.js";

const ramp = Array.from({ length: 400 }, (_, i) => 10 * 1.01 ** i);

describe("distributionPicture", () => {
  test("values spread evenly over decades give a flat picture", () => {
    const bars = new Set(distributionPicture(ramp));
    for (const bar of bars) expect(["▇", "█"]).toContain(bar);
  });

  test("an outlier stands alone at the right end, behind blanks", () => {
    const picture = distributionPicture([...Array.from({ length: 50 }, (_, i) => 10 + i / 50), 1000]);
    expect(picture).toMatch(/^█ +▁$/);
    expect(picture).toHaveLength(40);
  });

  test("neither order nor missing values change it", () => {
    expect(distributionPicture([Number.NaN, ...ramp.toReversed()])).toBe(distributionPicture(ramp));
  });

  test("too few or equal values have no shape", () => {
    expect(distributionPicture([1, 2, 3])).toBeNull();
    expect(distributionPicture(new Array(100).fill(5))).toBeNull();
    expect(distributionPicture([])).toBeNull();
  });
});
