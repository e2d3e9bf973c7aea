import { describe, expect, it } from "vitest";
import { sparkline } from "../../../src/cli/sparkline.js";

describe("a line of bars", () => {
  it("has eight heights up to the most, the least of which anything above 0 reaches", () => {
    expect(sparkline([1, 2, 3, 4, 5, 6, 7, 8], 8)).toBe("▁▂▃▄▅▆▇█");
    expect(sparkline([0.001, 1], 1)).toBe("▁█");
    expect(sparkline([0.5], 1)).toBe("▄");
  });

  it("leaves blank what is 0 or missing, and never grows above its tallest bar", () => {
    expect(sparkline([0, null, 9], 8)).toBe("  █");
    expect(sparkline([0, 0], 0)).toBe("  ");
  });

  it("has equal ratios between its heights where it is logarithmic", () => {
    expect(sparkline([1, 2, 4, 8, 16, 32, 64, 128, 256], 256, 1)).toBe("▁▁▂▃▄▅▆▇█");
    expect(sparkline([0, null, 0.5], 256, 1)).toBe("  ▁");
  });
});
