import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DataFileError } from "../../../../src/core/errors/simulationError.js";
import { loadGpuCatalog } from "../../../../src/io/catalog.js";
import { readCharacterizationTable } from "../../../../src/io/characterization/characterizationTable.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";

const { folder, write } = temporaryFolder();
const GPUS = loadGpuCatalog();
const HEADER = "suite,pattern,bytes,block_bytes,working_set_bytes,kernels,latency_us,source,device";
let numFiles = 0;

const read = (lines: string, header = HEADER, gpu = "H100") => {
  numFiles += 1;
  return readCharacterizationTable(write(`table${numFiles}.csv`, `${header}\n${lines}\n`), gpu, GPUS);
};

describe("a table of micro-benchmarks", () => {
  it("gives its rows with their lines and its sources", () => {
    const { rows, source } = read(
      [
        "bandwidth,sequential,1000,,4000,,2.5,alice,NVIDIA H100 80GB HBM3",
        "bandwidth,mixed,2000,64,,,5,bob,",
        "launch_gap,interleaved,,,,40,90.5,alice,my own H100",
      ].join("\n"),
    );
    expect(rows.bandwidth).toEqual([
      { row: 2, pattern: "sequential", bytes: 1000, blockBytes: null, workingSetBytes: 4000, latencyUs: 2.5 },
      { row: 3, pattern: "mixed", bytes: 2000, blockBytes: 64, workingSetBytes: 2000, latencyUs: 5 },
    ]);
    expect(rows.launchGap).toEqual([{ row: 4, order: "interleaved", numKernels: 40, latencyUs: 90.5 }]);
    expect(source).toBe("alice; bob");
  });

  it("may have its columns in any order, others beside them, and lack those it does not use", () => {
    const { rows } = read("7.5,H,bandwidth,512,sequential", "latency_us,host,suite,bytes,pattern");
    expect(rows.bandwidth).toEqual([
      { row: 2, pattern: "sequential", bytes: 512, blockBytes: null, workingSetBytes: 512, latencyUs: 7.5 },
    ]);
  });

  it.each([
    ["bandwith,sequential,1000,,,,2,,", "suite", "got bandwith; must be bandwidth or launch_gap"],
    ["bandwidth,random,1000,64,,,2,,", "pattern", "got random; must be one of sequential, scattered, mixed"],
    ["launch_gap,sequential,,,,40,2,,", "pattern", "got sequential; must be one of grouped, interleaved"],
    ["bandwidth,sequential,,,,,2,,", "bytes", "a bandwidth row needs the bytes"],
    ["bandwidth,sequential,1e3.5,,,,2,,", "bytes", "must be a finite number"],
    ["bandwidth,sequential,10.5,,,,2,,", "bytes", "must be a whole number"],
    ["bandwidth,sequential,1000,64,,,2,,", "block_bytes", "must be empty: sequential reads have no blocks"],
    ["bandwidth,scattered,1000,,,,2,,", "block_bytes", "needs the contiguous bytes"],
    ["bandwidth,scattered,1000,2000,,,2,,", "block_bytes", "must not exceed bytes"],
    ["bandwidth,sequential,1000,,999,,2,,", "working_set_bytes", "got 999; must be at least bytes"],
    ["bandwidth,sequential,1000,,,,0,,", "latency_us", "got 0; must be > 0"],
    ["bandwidth,sequential,1000,,,,,,", "latency_us", "the cell is empty"],
    ["launch_gap,grouped,,,,,2,,", "kernels", "needs how many the graph has"],
    ["bandwidth,sequential,1000,,,,2,,NVIDIA L4", "device", "got NVIDIA L4; must be of H100: give --gpu L4"],
  ])("is refused for the row %s", (line, column, says) => {
    const good = "bandwidth,sequential,1000,,,,2,,";
    const error = catchError(() => read(`${good}\n${line}\n${good}`));
    expect(error).toBeInstanceOf(DataFileError);
    expect((error as DataFileError).location).toMatchObject({ row: 3, column });
    expect((error as Error).message).toContain(says);
  });

  it("names the first bad row and counts the others, cells first or not", () => {
    const bad = "bandwidth,random,1000,,,,2,,\nbandwidth,sequential,1000,,,,no,,\nnone,sequential,1,,,,2,,";
    expect(() => read(bad)).toThrow(/row 2, column pattern: got random; .*; and 2 more/);
  });

  it("is refused without its columns, naming what is missing", () => {
    expect(() => read("bandwidth,1000,2", "suite,bytes,latency_us")).toThrow(/column pattern: the column is missing/);
  });
});

describe("a folder", () => {
  const content = `${HEADER}\nbandwidth,sequential,1000,,,,2,,\n`;
  const place = (...parts: string[]) => {
    const path = join(folder, ...parts);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, "data.csv"), content);
    return path;
  };

  it("is searched for data.csv, directly or in characterization/<gpu>", () => {
    const direct = place("direct");
    expect(readCharacterizationTable(direct, "H100", GPUS).file).toBe(join(direct, "data.csv"));
    const nested = place("bench", "characterization", "h100_sxm");
    place("bench", "characterization", "l4");
    expect(readCharacterizationTable(join(folder, "bench"), "H100", GPUS).file).toBe(join(nested, "data.csv"));
  });

  it("without the GPU is refused, saying what it must hold", () => {
    expect(() => readCharacterizationTable(join(folder, "bench"), "B200", GPUS)).toThrow(
      /must hold data.csv, or characterization\/b200\/data.csv/,
    );
    expect(() => readCharacterizationTable(join(folder, "absent"), "B200", GPUS)).toThrow(/no such file or folder/);
  });
});

function catchError(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("did not throw");
}
