import { readFileSync } from "node:fs";
import { type Info, parse } from "csv-parse/sync";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CsvRow, csvRows } from "../../../../src/io/traces/csvRecords.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";

const { write } = temporaryFolder();

/** The whole file by the parser. */
function byParser(file: string): CsvRow[] {
  const options = { bom: true, info: true, relax_column_count: true, skip_empty_lines: true, trim: true } as const;
  const rows = parse(readFileSync(file), options) as unknown as readonly { record: string[]; info: Info }[];
  return rows.map(({ record, info }) => ({ cells: record, row: info.lines }));
}

describe("the rows of a CSV file", () => {
  const cell = fc.stringMatching(/^[ \t]?[a-z0-9.µ\u00a0\u2029\u3000\f-]{0,4}[ \t]?$/);
  const line = fc.oneof(
    { weight: 4, arbitrary: fc.array(cell, { maxLength: 4 }).map((cells) => cells.join(",")) },
    { weight: 1, arbitrary: fc.constantFrom("", " ", "a\rb") },
    { weight: 2, arbitrary: fc.constantFrom('"a,b",c', '"a""b"', '"",x', '"two\nlines",1', 'x, "spaced" ,y') },
  );

  it("are those that the parser finds in the whole file, plain or not", () => {
    let numQuoted = 0;
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 8 }),
        fc.constantFrom("\n", "\r\n"),
        fc.boolean(),
        fc.boolean(),
        (lines, end, isOpen, hasMark) => {
          const text = `${hasMark ? "\uFEFF" : ""}h${end}${lines.join(end)}${isOpen ? "" : end}`;
          const file = write("rows.csv", text);
          expect([...csvRows(file)]).toEqual(byParser(file));
          if (text.includes('"')) numQuoted++;
        },
      ),
      { seed: 3, numRuns: 1500 },
    );
    expect(numQuoted).toBeGreaterThan(300);
    expect(numQuoted).toBeLessThan(1200);
  });

  it("keep their numbers after a line end in a cell, whichever it is", () => {
    for (const end of ["\n", "\r\n"]) {
      const file = write("cells.csv", ["a,b", '1,"x', 'y"', "2,3", '4,"z"', "5,6"].join(end));
      const rows = [...csvRows(file)].map(({ cells, row }) => ({ second: cells[1], row }));
      // A row's number is that of its last line, as the parser counts.
      expect(rows).toEqual([
        { second: "b", row: 1 },
        { second: "x\ny", row: 3 },
        { second: "3", row: 4 },
        { second: "z", row: 5 },
        { second: "6", row: 6 },
      ]);
    }
  });

  it("keep their numbers over many pieces of quoted lines, and so does what is wrong with one", () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => (i % 3 === 0 ? `"a,${i}",b` : `plain,${i}`));
    const file = write("long.csv", lines.join("\n"));
    expect([...csvRows(file)]).toEqual(byParser(file));
    lines[15_000] = 'a "b"';
    const broken = write("broken.csv", lines.join("\n"));
    expect(() => [...csvRows(broken)]).toThrow(/row 15001: is not valid CSV: .* at line 15001/);
  });
});
