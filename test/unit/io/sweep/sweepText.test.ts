import { expect, it } from "vitest";
import type { SweepResult } from "../../../../src/core/analysis/sweep/sweepResult.js";
import { sweepJson } from "../../../../src/io/sweep/sweepText.js";

it("puts a list of numbers on one line and leaves texts as they are, whatever stands in them", () => {
  const result = {
    notes: ["a[ 1 ]/b[\n 2,\n 3 ]", 'c:\\"[ 4 ]', "ends with \\\\"],
    points: [{ quantiles: [0.5, -1, 2e-7], label: "[ 5 ]", empty: [], mixed: [1, "2"] }],
  } as unknown as SweepResult;
  const text = sweepJson(result);
  expect(JSON.parse(text)).toEqual(result);
  expect(text).toContain('"quantiles": [0.5, -1, 2e-7],');
  expect(text).toContain('"[ 5 ]"');
});
