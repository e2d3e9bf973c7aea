import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { SweepGrid } from "../../../../src/core/analysis/sweep/sweepResult.js";
import { sweepManifest } from "../../../../src/io/sweep/sweepManifest.js";
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
