import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { priceOf } from "../../../../src/core/analysis/plan/priceTable.js";
import { loadGpu } from "../../../../src/io/catalog.js";
import { readPrices } from "../../../../src/io/plan/readPrices.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";

const { folder } = temporaryFolder();

const FROM = { source: "us", date: "2026-11-26" };

describe("prices", () => {
  it("that ship are of built-in GPUs, each once, and found by any of their names", () => {
    const table = readPrices(null);
    const ids = table.prices.map(({ gpu }) => loadGpu(gpu).id);
    expect(ids).toEqual(table.prices.map(({ gpu }) => gpu));
    expect(new Set(ids).size).toBe(ids.length);
    expect(priceOf(table, "h100")?.usdPerGpuHour).toBeGreaterThan(0);
    expect(priceOf(table, "H20")).toBeNull();
  });

  it.each<[object[], RegExp]>([
    [
      [
        ["H100", 3],
        ["H1000", 3],
      ],
      /row 2: no GPU is called "H1000"; did you mean H100\?/,
    ],
    [
      [
        ["H100", 3],
        ["B200", 6],
        ["NVIDIA H100", 2],
      ],
      /row 3: is a second price of H100, of which row 1 has one; keep/,
    ],
    [[["zzz", 3]], /row 1: no GPU is called "zzz"; roofserve gpus lists/],
    [[["H100", 30_000]], /usdPerGpuHour.*got 30000.*1000/s],
  ])("of one's own are refused with the row and what to do: %j", (rows, message) => {
    const file = join(folder, "prices.json");
    const prices = (rows as [string, number][]).map(([gpu, usdPerGpuHour]) => ({ gpu, usdPerGpuHour, ...FROM }));
    writeFileSync(file, JSON.stringify({ prices }));
    expect(() => readPrices(file)).toThrow(message);
  });

  it("of one's own are refused with the place of what is wrong", () => {
    const file = join(folder, "prices.json");
    writeFileSync(
      file,
      JSON.stringify({ prices: [{ gpu: "H100", usdPerGpuHour: -1, source: "us", date: "yesterday" }] }),
    );
    expect(() => readPrices(file)).toThrow(/prices\.json.*usdPerGpuHour.*got -1.*date.*"usdPerGpuHour": 2\.5/s);
    expect(() => readPrices(join(folder, "none.json"))).toThrow(/no such file/);
  });
});
