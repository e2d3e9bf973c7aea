import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { requestCsvLines, requestJsonLines } from "../../../../src/io/results/requestTable.js";
import { RequestWriter } from "../../../../src/io/results/requestWriter.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";
import { simulatedRun } from "./simulatedRun.js";

const { folder, write } = temporaryFolder();
const { records, specs } = simulatedRun(80, 2);

function writeAll(file: string, numRequests = records.length): void {
  const writer = new RequestWriter(file, "test");
  writer.during(() => {
    for (let i = 0; i < numRequests; i++) writer.add(records[i]!, specs[i]!);
  });
}

describe("the writer of ended requests", () => {
  it.each([
    ["rows.csv", requestCsvLines],
    ["rows.jsonl", requestJsonLines],
  ] as const)("writes %s as the table of all requests has it", (name, lines) => {
    const file = join(folder, "made", name);
    writeAll(file);
    expect(readFileSync(file, "utf8")).toBe([...lines({ run: "test", records, specs })].join(""));
    expect(readdirSync(join(folder, "made")).filter((entry) => entry.endsWith(".tmp"))).toEqual([]);
  });

  it("writes the header alone when there was no request", () => {
    const file = join(folder, "none.csv");
    writeAll(file, 0);
    expect(readFileSync(file, "utf8")).toBe([...requestCsvLines({ run: "test", records: [], specs: [] })].join(""));
  });

  it("leaves the old file when the run fails half way, and nothing temporary", () => {
    const file = write("old.jsonl", "old\n");
    const writer = new RequestWriter(file, "test");
    const failing = () =>
      writer.during(() => {
        writer.add(records[0]!, specs[0]!);
        throw new Error("the run broke");
      });
    expect(failing).toThrow("the run broke");
    expect(readFileSync(file, "utf8")).toBe("old\n");
    expect(existsSync(`${file}.${process.pid}.tmp`)).toBe(false);
  });
});
