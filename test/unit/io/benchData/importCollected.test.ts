import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataFileError } from "../../../../src/core/errors/simulationError.js";
import { parseGpuSpec } from "../../../../src/core/hardware/gpuSpecSchema.js";
import type { KernelTableSet } from "../../../../src/core/kernels/tables/kernelTable.js";
import { importCollected } from "../../../../src/io/benchData/importCollected.js";
import { readBenchData } from "../../../../src/io/benchData/readBenchData.js";
import type { TableCoverage } from "../../../../src/io/benchData/tableCoverage.js";
import { loadGpu, loadGpuCatalog, loadGpuEfficiency, loadModelCatalog } from "../../../../src/io/catalog.js";
import { sha256 } from "../../../../src/io/pricingFiles.js";
import { measuredTables, writeCollected } from "../../../reference/measuredTables.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";

const { folder } = temporaryFolder();
const catalog = loadGpuCatalog();
const h200 = loadGpu("H200");
/** A model's shapes, not all of them. */
const few = (all: KernelTableSet): KernelTableSet => ({
  gemm: all.gemm.filter(({ n }) => n <= 2560),
  groupedGemm: all.groupedGemm.filter(({ numExperts }) => numExperts === 8),
  decodeAttention: all.decodeAttention.filter(({ numHeads }) => numHeads === 32),
  prefillAttention: all.prefillAttention.filter(({ numHeads }) => numHeads === 32),
  allReduce: [],
});
const tables = few(measuredTables(loadGpuEfficiency("H200")!, h200, 0, 1));
let number = 0;
const fresh = () => join(folder, `folder-${number++}`);

/** A measured folder of its own, with changed cells. @param edit of one table's lines */
function collected(path = "", edit: (lines: string[]) => string[] = (lines) => lines, device = "NVIDIA H200"): string {
  const dir = fresh();
  writeCollected(dir, tables, "h200", device);
  if (path !== "") {
    const file = join(dir, path);
    writeFileSync(file, edit(readFileSync(file, "utf8").split("\n")).join("\n"));
  }
  return dir;
}
const GEMM = "gemm/h200/data.csv";
/** Line `line` (from 1) of a table with another latency. */
const withLatency = (line: number, of: (us: number) => number) => (lines: string[]) =>
  lines.with(
    line - 1,
    lines[line - 1]!.replace(/,(bf16),([\d.]+),/, (_, dtype, us) => `,${dtype},${of(Number(us))},`),
  );
/** What an action throws. */
function failureOf(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}
const filesOf = (dir: string) =>
  readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.(csv|json)$/.test(path))
    .sort();

describe("a measured folder that is sound", () => {
  const source = collected();
  const out = fresh();
  const imported = importCollected(source, out, catalog);

  it("becomes a set with the same tables to the byte, and what lay beside them", () => {
    const expected = filesOf(source).map((path) => (path === "collected.json" ? "collected/h200.json" : path));
    expect(filesOf(out)).toEqual(expected.sort());
    for (const path of filesOf(source).filter((path) => path !== "collected.json")) {
      expect(readFileSync(join(out, path), "utf8")).toBe(readFileSync(join(source, path), "utf8"));
    }
    expect(readBenchData(out, h200).tables).toEqual(readBenchData(source, h200).tables);
  });

  it("is named by the hash of its tables, which an import of the import has too", () => {
    expect(imported).toMatchObject({ gpus: ["H200"], former: null, notes: [], sha256: sha256(out) });
    expect(imported.tables.flatMap(({ leftOut }) => leftOut)).toEqual([]);
    expect(importCollected(out, fresh(), catalog).sha256).toBe(imported.sha256);
  });

  it("takes the place of the GPU's former tables, keeps other GPUs' and the former set", () => {
    const other = fresh();
    const h100 = loadGpu("H100");
    writeCollected(other, few(measuredTables(loadGpuEfficiency("H100")!, h100, 0, 1)), "h100", "NVIDIA H100 80GB HBM3");
    const set = fresh();
    importCollected(other, set, catalog);
    importCollected(collected(), set, catalog);
    const slower = collected(GEMM, (lines) => lines.map((line) => line.replace(/,bf16,([\d.]+)/, ",bf16,9$1")));
    const before = sha256(set);
    const { former, sha256: after } = importCollected(slower, set, catalog);
    expect(after).not.toBe(before);
    expect(sha256(former!)).toBe(before);
    expect(former).toContain(`.before-${before.slice(0, 12)}`);
    expect(readBenchData(set, h100).tables).toEqual(readBenchData(other, h100).tables);
    expect(readBenchData(set, h200).tables).toEqual(readBenchData(slower, h200).tables);
    expect(importCollected(former!, fresh(), catalog).sha256).toBe(before);
  });

  it("is readable by whom the umask lets read, like any new folder", () => {
    const plain = fresh();
    mkdirSync(plain);
    expect(statSync(out).mode).toBe(statSync(plain).mode);
  });

  it("takes the place of an empty folder without keeping it", () => {
    const empty = fresh();
    mkdirSync(empty);
    expect(importCollected(source, empty, catalog)).toMatchObject({
      former: null,
      isUnchanged: false,
      sha256: sha256(out),
    });
    expect(readdirSync(folder).filter((name) => name.startsWith(`${basename(empty)}.`))).toEqual([]);
  });

  it("changes nothing and keeps nothing when it is imported again", () => {
    const again = fresh();
    importCollected(source, again, catalog);
    const made = statSync(again).ino;
    expect(importCollected(source, again, catalog)).toMatchObject({ former: null, isUnchanged: true, notes: [] });
    expect(statSync(again).ino).toBe(made);
    expect(readdirSync(folder).filter((name) => name.startsWith(`${basename(again)}.`))).toEqual([]);
  });

  it("says in a line what the former set had and it has not", () => {
    const set = fresh();
    importCollected(source, set, catalog);
    const less = collected();
    rmSync(join(less, "mha/prefill"), { recursive: true });
    rmSync(join(less, "mha/decode/h200/32-8-128.csv"));
    const gemm = readFileSync(join(less, GEMM), "utf8").split("\n");
    writeFileSync(join(less, GEMM), gemm.toSpliced(2, 100).join("\n"));
    const { notes, former, isUnchanged } = importCollected(less, set, catalog);
    expect(isUnchanged).toBe(false);
    expect(notes).toEqual([
      `no longer in the set: 100 of ${tables.gemm.length} rows of gemm/h200, 1 of 2 files of mha/decode/h200, mha/prefill/h200; the former set, in ${former}, has them`,
    ]);
  });

  it("is held against the kernels of every built-in model", () => {
    const [{ gpu, models, without }] = imported.coverage as [TableCoverage];
    expect(gpu).toBe("H200");
    expect(models).toHaveLength(loadModelCatalog().filter(({ id, baseId }) => id === baseId).length);
    expect(models.flatMap(({ coveredSizes }) => coveredSizes)).toEqual([]);
    expect(without).toEqual(expect.arrayContaining(["fp8 products", "fp8 experts", "all-reduce"]));
    expect(without).not.toContain("decode attention");
  });

  it("is imported for one GPU where one is asked for", () => {
    const both = collected();
    writeCollected(both, tables, "h100", "NVIDIA H200");
    const { gpus } = importCollected(both, fresh(), catalog, h200);
    expect(gpus).toEqual(["H200"]);
  });
});

describe("rows that cannot be believed", () => {
  const leftOutOf = (source: string) => {
    const out = fresh();
    const imported = importCollected(source, out, catalog);
    const { leftOut, numRows } = imported.tables.find(({ path }) => path === GEMM)!;
    expect(readBenchData(out, h200).tables.gemm).toHaveLength(numRows);
    expect(numRows + leftOut.length).toBe(tables.gemm.length);
    return leftOut;
  };

  it("are left out and listed: faster than physics", () => {
    expect(
      leftOutOf(
        collected(
          GEMM,
          withLatency(14, (us) => us / 50),
        ),
      ),
    ).toEqual([{ row: 14, reason: "faster than physics", contradictedRow: null }]);
  });

  it("are left out and listed: two looks too far apart", () => {
    const edit = (lines: string[]) => lines.with(19, lines[19]!.replace(",0.004,", ",0.0501,"));
    expect(leftOutOf(collected(GEMM, edit))).toEqual([{ row: 20, reason: "not repeatable", contradictedRow: null }]);
  });

  it("are left out of a file with the line ends of old Macs too", () => {
    const edit = (lines: string[]) => [lines.with(19, lines[19]!.replace(",0.004,", ",0.0501,")).join("\r")];
    expect(leftOutOf(collected(GEMM, edit))).toEqual([{ row: 20, reason: "not repeatable", contradictedRow: null }]);
  });

  it("are left out and listed: much slower than larger shapes, with the row they contradict most", () => {
    expect(
      leftOutOf(
        collected(
          GEMM,
          withLatency(5, (us) => us * 2),
        ),
      ),
    ).toEqual([{ row: 5, reason: "contradicts others", contradictedRow: 6 }]);
  });

  it("are warned of where so many of a family are wrong that its others are to be doubted", () => {
    const notesWith = (numSpoilt: number) => {
      const spoilt = Array.from({ length: numSpoilt }, (_, i) => 2 + i * 7);
      const edit = (text: string[]) => spoilt.reduce((some, line) => withLatency(line, () => 0.001)(some), text);
      return importCollected(collected(GEMM, edit), fresh(), catalog).notes;
    };
    const many = Math.floor(0.05 * tables.gemm.length);
    expect(notesWith(many)).toEqual([]);
    expect(notesWith(many + 1)).toEqual([
      expect.stringMatching(
        new RegExp(`^${many + 1} of ${tables.gemm.length} rows of gemm of H200 \\(5 %\\) were left out`),
      ),
    ]);
  });

  it("are left out whatever and wherever they are, and no others", () => {
    const lines = fc.uniqueArray(fc.integer({ min: 2, max: tables.gemm.length + 1 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(lines, (spoilt) => {
        const source = collected(GEMM, (text) =>
          spoilt.reduce((some, line) => withLatency(line, () => 0.001)(some), text),
        );
        expect(leftOutOf(source).map(({ row }) => row)).toEqual([...spoilt].sort((a, b) => a - b));
      }),
      { numRuns: 8, seed: 7 },
    );
  });
});

describe("a folder that is not sound", () => {
  const untouched = fresh();
  importCollected(collected(), untouched, catalog);
  const before = sha256(untouched);
  const names = () => readdirSync(folder).filter((name) => name.includes("partial") || name.includes("before"));

  it.each<[string, () => string, RegExp]>([
    [
      "a bad cell",
      () => collected(GEMM, (lines) => lines.with(3, "1,2,x,bf16,5,0,s")),
      /row 4, column n: got x.*nothing was imported/,
    ],
    [
      "another device",
      () => collected("", undefined, "NVIDIA H100 80GB HBM3"),
      /measured on NVIDIA H100.*is H100, but.*H200/,
    ],
    [
      "rows of another device in a folder",
      () =>
        collected(GEMM, (lines) => [
          `${lines[0]},device`,
          ...lines.slice(1, -1).map((line, i) => `${line},${i < 7 ? "NVIDIA H200" : "NVIDIA H100 80GB HBM3"}`),
          "",
        ]),
      /gemm\/h200\/data\.csv: row 9, column device: got NVIDIA H100 80GB HBM3, which is H100, but .* H200/,
    ],
    [
      "micro-benchmarks alone",
      () => {
        const dir = fresh();
        mkdirSync(join(dir, "characterization/h200"), { recursive: true });
        return dir;
      },
      /has no kernel tables.*roofserve characterize .* --gpu H200 --out FILE/,
    ],
    [
      "a database that has a command of its own",
      () => {
        const dir = fresh();
        mkdirSync(join(dir, "systems/data"), { recursive: true });
        return dir;
      },
      /has no kernel tables.*bench-data import aiconfigurator /,
    ],
    [
      "a folder with another name than its device",
      () => {
        const dir = fresh();
        writeCollected(dir, tables, "mine", "NVIDIA H200");
        return dir;
      },
      /no GPU is called mine; it was measured on NVIDIA H200: call the folders h200/,
    ],
    [
      "a GPU that nobody knows",
      () => {
        const dir = fresh();
        writeCollected(dir, tables, "h999", "NVIDIA H999");
        return dir;
      },
      /no GPU is called h999.*--gpu FILE/,
    ],
    [
      "mostly rows faster than physics",
      () => collected(GEMM, (lines) => lines.map((line) => line.replace(/,bf16,[\d.]+/, ",bf16,0.01"))),
      /rows are faster than H200 allows/,
    ],
    [
      "no tables",
      () => {
        const dir = fresh();
        mkdirSync(dir);
        return dir;
      },
      /has no kernel tables/,
    ],
    [
      "a broken account",
      () => {
        const dir = collected();
        writeFileSync(join(dir, "collected.json"), "{}");
        return dir;
      },
      /collected\.json.*schema/,
    ],
    [
      "malformed micro-benchmarks",
      () => {
        const dir = collected();
        mkdirSync(join(dir, "characterization/h200"), { recursive: true });
        writeFileSync(join(dir, "characterization/h200/data.csv"), "suite,pattern,latency_us\nbandwidth,sideways,5\n");
        return dir;
      },
      /characterization\/h200\/data\.csv.*sideways/,
    ],
    [
      "two folders of one GPU",
      () => {
        const dir = collected();
        cpSync(join(dir, "gemm/h200"), join(dir, "gemm/H200-SXM"), { recursive: true });
        return dir;
      },
      /gemm\/h200\/data\.csv: is of the same GPU as .*gemm\/H200-SXM\/data\.csv/,
    ],
    ["the self-test of the measuring program", () => collected("", undefined, "cpu"), /self-test .* measures nothing/],
    [
      "a last line cut off in the middle of its latency",
      () => collected(GEMM, (lines) => [...lines.slice(0, -2), lines.at(-2)!.replace(/(\d)\.\d+,0\.004,.*/, "$1")]),
      /row \d+: 5 cells, but the header has 7 columns; is the file truncated\?/,
    ],
    [
      "a share of disagreement that is no number",
      () => collected(GEMM, (lines) => lines.with(3, lines[3]!.replace(",0.004,", ",nan,"))),
      /row 4, column repeatability_fraction: got nan/,
    ],
  ])("is refused for %s, and nothing changes", (_, make, says) => {
    const source = make();
    const kept = names();
    expect(() => importCollected(source, untouched, catalog)).toThrow(DataFileError);
    expect(() => importCollected(source, untouched, catalog)).not.toThrow(/\.partial/);
    expect(() => importCollected(source, untouched, catalog)).toThrow(says);
    expect(sha256(untouched)).toBe(before);
    expect(names()).toEqual(kept);
    const absent = fresh();
    expect(() => importCollected(source, absent, catalog)).toThrow();
    expect(existsSync(absent)).toBe(false);
  });

  it("is not written over anything but a set, nor over itself", () => {
    const home = fresh();
    mkdirSync(home);
    writeFileSync(join(home, "thesis.txt"), "precious");
    expect(() => importCollected(collected(), home, catalog)).toThrow(/holds other things.*thesis\.txt/);
    expect(readFileSync(join(home, "thesis.txt"), "utf8")).toBe("precious");
    const own = collected();
    expect(() => importCollected(own, own, catalog)).toThrow(/is the folder that is being imported/);
    const inside = join(own, "some", "set");
    expect(() => importCollected(own, inside, catalog)).toThrow(/set: lies inside .*, which is being imported/);
    const link = fresh();
    symlinkSync(own, link);
    expect(() => importCollected(own, join(link, "set"), catalog)).toThrow(/lies inside/);
    expect(filesOf(own).some((path) => path.includes("set"))).toBe(false);
    const outer = fresh();
    cpSync(own, join(outer, "mine"), { recursive: true });
    expect(() => importCollected(join(outer, "mine"), outer, catalog)).toThrow(
      /contains .*mine, which is being imported/,
    );
  });

  it.runIf(existsSync("/proc/self"))("is refused by the name that was given where no folder can be made", () => {
    expect(() => importCollected(collected(), "/proc/set", catalog)).toThrow(/^\/proc\/set: cannot be written/);
  });

  it("of the self-test is called that under the name of its folders too, and no spec is asked for", () => {
    const dir = fresh();
    writeCollected(dir, tables, "self-test", "cpu");
    expect(() => importCollected(dir, fresh(), catalog)).toThrow(/self-test .* measures nothing/);
  });

  it("of an unknown GPU gives one error, with the part of its spec that the device told", () => {
    const dir = fresh();
    writeCollected(dir, tables, "h999", "NVIDIA H999");
    const device = { name: "NVIDIA H999", sms: 140, memoryBytes: 1.5e11, l2Bytes: 6e7 };
    writeFileSync(join(dir, "collected.json"), JSON.stringify({ schema: "roofserve.collected/1", device }));
    const { message } = failureOf(() => importCollected(dir, fresh(), catalog));
    expect(message).not.toContain("more problems");
    const draft = JSON.parse(message.slice(message.indexOf("{")));
    expect(draft).toMatchObject({
      id: "H999",
      name: "NVIDIA H999",
      compute: { numSms: 140 },
      memory: { l2Bytes: 6e7 },
    });
    expect(() => parseGpuSpec(draft, "draft")).toThrow(/bandwidthBytesPerS/);
    const filled = {
      ...draft,
      memory: { ...draft.memory, source: "datasheet", bandwidthBytesPerS: 4e12 },
      compute: { ...draft.compute, source: "datasheet", bf16FlopsPerS: 1e15 },
      interconnect: { ...draft.interconnect, source: "datasheet", bandwidthBytesPerS: 5e10 },
    };
    expect(parseGpuSpec(filled, "filled").id).toBe("H999");
  });

  it("is imported all the same for a GPU of the user's own, whose spec is given", () => {
    const dir = fresh();
    const own = { ...h200, id: "H999" };
    writeCollected(dir, tables, "h999", "NVIDIA H999");
    expect(importCollected(dir, fresh(), [...catalog, own], own)).toMatchObject({ gpus: ["H999"], notes: [] });
    const prototype = fresh();
    writeCollected(prototype, tables, "h999", "Engineering Sample");
    expect(importCollected(prototype, fresh(), [...catalog, own], own).notes).toEqual([
      "Engineering Sample is no GPU known here: taken for H999, as the folders say",
    ]);
  });

  it("says that nobody knows the device where no account of it lies beside the tables", () => {
    const dir = fresh();
    cpSync(join(collected(), "gemm"), join(dir, "gemm"), { recursive: true });
    expect(importCollected(dir, fresh(), catalog).notes.join()).toContain("no collected.json");
  });
});
