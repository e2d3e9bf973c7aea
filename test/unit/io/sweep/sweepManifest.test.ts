import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { SweepGrid } from "../../../../src/core/analysis/sweep/sweepResult.js";
import {
  extendedManifest,
  manifestText,
  type SweepManifest,
  sweepManifest,
} from "../../../../src/io/sweep/sweepManifest.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";
import { smallConfig, smallSweep } from "../../core/analysis/sweep/smallSweep.js";

const { folder } = temporaryFolder();
const grid: SweepGrid = { axes: [], rates: null, guidellmSize: null, seeds: [42] };

describe("what tells a sweep from another", () => {
  it.each(["model", "benchData"])("is every file of a folder named as its %s, wherever in it", (key) => {
    const place = join(folder, key);
    mkdirSync(join(place, "gemm"), { recursive: true });
    writeFileSync(join(place, "gemm", "data.csv"), "1");
    const config = { ...smallConfig(), [key]: place };
    const manifest = () =>
      JSON.stringify(sweepManifest(smallSweep({ series: [{ label: "", varied: {}, configs: [config] }] }), grid));
    const before = manifest();
    expect(manifest()).toBe(before);
    writeFileSync(join(place, "gemm", "data.csv"), "2");
    expect(manifest()).not.toBe(before);
  });
});

describe("a sweep that goes on in the folder of another", () => {
  const file = join(folder, "manifest.json");
  const manifestOf = (config: object, axes: readonly string[] = [], inputs = {}): SweepManifest => ({
    version: "1",
    sweep: { config, grid: { axes: axes.map((path) => ({ path, values: [] })) } },
    inputs,
  });
  const extend = (before: SweepManifest, now: SweepManifest) => {
    writeFileSync(file, manifestText(before));
    return extendedManifest(folder, file, now);
  };
  const base = { gpu: "H100", engine: { maxNumSeqs: null, blockSize: 16 } };

  it("may have other loads, and other values of what either of them varies", () => {
    const loaded = (rate: number) => ({ ...base, workload: { profile: { kind: "poisson", rate } } });
    const varied = ["gpu", "engine.maxNumSeqs"];
    const changed = { gpu: "L4", engine: { maxNumSeqs: 9, blockSize: 16 } };
    expect(() => extend(manifestOf(loaded(2)), manifestOf(loaded(4)))).not.toThrow();
    expect(() => extend(manifestOf(base, varied), manifestOf(changed))).not.toThrow();
    expect(() => extend(manifestOf(base), manifestOf(changed, varied))).not.toThrow();
    // A key that takes several values is no part of what the points have in common.
    expect(() => extend(manifestOf({ gpu: "H100" }), manifestOf(base))).not.toThrow();
  });

  it("must hold the rest fixed, and is told every difference and what to do", () => {
    const changed = { gpu: "L4", engine: { maxNumSeqs: 9, blockSize: 16 } };
    const open = () => extend(manifestOf(base, ["engine.blockSize"]), manifestOf(changed));
    expect(open).toThrow(/gpu: got "L4"; it was "H100"/);
    expect(open).toThrow(/engine\.maxNumSeqs: got 9; it was default; .*--vary it .*--restart/);
    const profile = (kind: string) => manifestOf({ ...base, workload: { profile: { kind } } });
    expect(() => extend(profile("poisson"), profile("constant"))).toThrow(/workload\.profile\.kind: got "constant"/);
    expect(readFileSync(file, "utf8")).toBe(manifestText(profile("poisson")));
  });

  it("keeps the contents of files that only finished runs were made from", () => {
    const [first, second] = [manifestOf(base, [], { a: "00" }), manifestOf(base, [], { b: "11" })];
    expect(extend(first, second).inputs).toEqual({ a: "00", b: "11" });
    expect(() => extend(extend(first, second), manifestOf(base, [], { a: "22" }))).toThrow('a: got "22"; it was "00"');
  });
});
