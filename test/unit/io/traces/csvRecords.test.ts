import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CsvRow, parsedRows, plainRows } from "../../../../src/io/traces/csvRecords.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";

const { write } = temporaryFolder();

async function byParser(file: string): Promise<CsvRow[]> {
  const rows: CsvRow[] = [];
  for await (const row of parsedRows(file, 0)) rows.push(row);
  return rows;
}

describe("rows split at their commas", () => {
  const cell = fc.stringMatching(/^[ \t]?[a-z0-9.µ\u00a0\u2029\u3000\f-]{0,4}[ \t]?$/);
  const line = fc.oneof(
    fc.array(cell, { maxLength: 4 }).map((cells) => cells.join(",")),
    fc.constantFrom("", " ", '"a,b",c', "a\rb"),
  );

  it("are those of the CSV parser, up to the first line that is not plain", async () => {
    let numWhole = 0;
    const ends = fc.constantFrom("\n", "\r\n");
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 8 }),
        ends,
        fc.boolean(),
        fc.boolean(),
        async (lines, end, isOpen, hasMark) => {
          const text = `${hasMark ? "\uFEFF" : ""}h${end}${lines.join(end)}${isOpen ? "" : end}`;
          const file = write("rows.csv", text);
          const plain = [...plainRows(file)];
          const isWhole = plain.at(-1) !== null;
          if (isWhole) numWhole++;
          else plain.pop();
          if (lines.some((one) => one.startsWith('"'))) expect(isWhole).toBe(false);
          else {
            const parsed = await byParser(file);
            expect(plain).toEqual(isWhole ? parsed : parsed.slice(0, plain.length));
          }
        },
      ),
      { seed: 3, numRuns: 1500 },
    );
    expect(numWhole).toBeGreaterThan(100);
  });
});
