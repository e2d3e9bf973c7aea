import { parse } from "csv-parse/sync";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { csvCell, csvText } from "../../../../src/io/results/csvCells.js";

describe("a cell of a CSV file", () => {
  it.each(["=1+1", "+cmd", "-cmd|x", "@SUM(A1)", "\t=1", "'=1"])("is no formula to a spreadsheet: %j", (text) => {
    expect(csvCell(text).replace(/^"/, "")).toBe(`'${text}`);
  });

  it.each(["-5", "+3.5", "-1e-7", ".5"])("stays a number where it is one: %s", (text) => {
    expect(csvCell(text)).toBe(text);
    expect(csvCell(Number(text))).toBe(String(Number(text)));
  });

  it("reads back as what it was, whatever that is", () => {
    const texts = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom("'", "=", "-", "+", "@", "1", ",", '"', "\n", "\t", "a") }),
    );
    const readsBack = (text: string) => {
      const [[cell]] = parse(`x,${csvCell(text)}\n`, { relax_column_count: true }).map(([, second]) => [second]) as [
        [string],
      ];
      expect(csvText(cell)).toBe(text);
    };
    fc.assert(fc.property(texts, readsBack), { seed: 42, numRuns: 2000 });
  });
});
