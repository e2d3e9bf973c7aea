import { describe, expect, it } from "vitest";
import { parseRates } from "../../../src/cli/rateList.js";

describe("a list of rates", () => {
  it.each([
    ["4", [4]],
    ["1,2,4", [1, 2, 4]],
    ["4, 1,2,2", [1, 2, 4]],
    ["0.5,1e1", [0.5, 10]],
    ["1:10:4", [1, 4, 7, 10]],
    ["1:2:2,5", [1, 2, 5]],
  ])("%s", (text, rates) => {
    expect(parseRates(text)).toEqual(rates);
  });

  it("reaches the end of a range exactly, as numpy.linspace does", () => {
    expect(parseRates("0.1:0.7:7").at(-1)).toBe(0.7);
    expect(parseRates("0.1:0.7:7")).toHaveLength(7);
  });

  it.each(["", "a", "1,,2", "0", "-1", "1:2", "1:2:3:4", "1:2:1", "2:1:3", "1:2:2.5", "1:2:1e9", "Infinity", "1 2"])(
    "is refused where it is none: %j",
    (text) => {
      expect(() => parseRates(text)).toThrow(/--rate: got /);
    },
  );
});
