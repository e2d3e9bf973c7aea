import { describe, expect, it } from "vitest";
import { DataFileError } from "../../../../../src/core/errors/simulationError.js";
import {
  type AccessPattern,
  characterizationSchema,
} from "../../../../../src/core/kernels/characterization/characterization.js";
import {
  type BandwidthRow,
  fitCharacterization,
} from "../../../../../src/core/kernels/characterization/fitCharacterization.js";
import { loadGpu } from "../../../../../src/io/catalog.js";

const gpu = loadGpu("H100");
const bytesPerUs = gpu.memory.bandwidthBytesPerS / 1e6;
const OPTIONS = { file: "data.csv", gpu, source: "a test", kvBlockBytes: 32_768 };
const LAUNCH_US = 4;
/** From far inside the L2 cache to 16 GiB. */
const SIZES = Array.from({ length: 12 }, (_, i) => 8 * 2 ** (20 + i));
const isStreamed = (bytes: number) => bytes > 2 * gpu.memory.l2Bytes;

function rowsOf(
  pattern: AccessPattern,
  fraction: number,
  options: { blockBytes?: number; sizes?: readonly number[] } = {},
): BandwidthRow[] {
  const blockBytes = pattern === "sequential" ? null : (options.blockBytes ?? 32_768);
  return (options.sizes ?? SIZES).map((bytes, i) => {
    const rate = isStreamed(bytes) ? fraction * bytesPerUs : 4 * bytesPerUs;
    const latencyUs = LAUNCH_US + bytes / rate;
    return { row: i + 2, pattern, bytes, blockBytes, workingSetBytes: bytes, latencyUs };
  });
}

const fitOf = (bandwidth: readonly BandwidthRow[], kvBlockBytes = 32_768) =>
  fitCharacterization({ bandwidth, launchGap: [] }, { ...OPTIONS, kvBlockBytes });

describe("the bandwidth of a pattern", () => {
  it("is the slope of latency over bytes: the launch does not count against it", () => {
    const { characterization } = fitOf([...rowsOf("sequential", 0.9), ...rowsOf("scattered", 0.8)]);
    expect(characterization.sequential!.fraction).toBeCloseTo(0.9, 9);
    expect(characterization.sequential!.bytesPerS).toBeCloseTo(0.9 * gpu.memory.bandwidthBytesPerS, -3);
    expect(characterization.sequential!.launchUs).toBeCloseTo(LAUNCH_US, 6);
    expect(characterization.sequential!.spreadFraction).toBeCloseTo(0, 9);
    expect(characterization.scattered!.fraction).toBeCloseTo(0.8, 9);
    expect(characterization.mixed).toBeNull();
    expect(characterizationSchema.safeParse(characterization).success).toBe(true);
  });

  it("leaves out rows that may have run from the L2 cache, and counts them", () => {
    const { sequential } = fitOf(rowsOf("sequential", 0.7)).characterization;
    expect(sequential!.fraction).toBeCloseTo(0.7, 9);
    expect(sequential!.numCachedRows).toBe(SIZES.filter((bytes) => !isStreamed(bytes)).length);
    expect(sequential!.numCachedRows + sequential!.numRows).toBe(SIZES.length);
  });

  it("counts small runs in when they rotate through more memory than the cache holds", () => {
    const sizes = SIZES.slice(0, 4);
    const rows = rowsOf("sequential", 0.7, { sizes }).map((row) => ({
      ...row,
      latencyUs: LAUNCH_US + row.bytes / (0.7 * bytesPerUs),
      workingSetBytes: 2 ** 32,
    }));
    expect(fitOf(rows).characterization.sequential).toMatchObject({ numRows: sizes.length, numCachedRows: 0 });
    expect(fitOf(rows).characterization.sequential!.fraction).toBeCloseTo(0.7, 9);
  });

  it("is not moved by a disturbed row of every four", () => {
    const rows = rowsOf("sequential", 0.85).map((row, i) =>
      i % 4 === 1 ? { ...row, latencyUs: 3 * row.latencyUs } : row,
    );
    expect(fitOf(rows).characterization.sequential!.fraction).toBeCloseTo(0.85, 6);
  });

  it("is that of the block size nearest to the KV cache's; the others are told", () => {
    const rows = [512, 4096, 65_536].flatMap((blockBytes, i) => rowsOf("scattered", 0.5 + 0.1 * i, { blockBytes }));
    for (const [kvBlockBytes, fraction] of [
      [256, 0.5],
      [8192, 0.6],
      [32_768, 0.7],
    ] as const) {
      const { characterization, patterns } = fitOf(rows, kvBlockBytes);
      expect(characterization.scattered!.fraction).toBeCloseTo(fraction, 9);
      expect(patterns.map(({ bandwidth }) => bandwidth.blockBytes)).toEqual([512, 4096, 65_536]);
      expect(patterns.filter(({ isUsed }) => isUsed)).toHaveLength(1);
    }
  });
});

describe("rows that cannot be used", () => {
  it("are refused when faster than the datasheet: the worst is named", () => {
    const rows = rowsOf("sequential", 0.9);
    const fast = rows.map((row) => (row.row >= 12 ? { ...row, latencyUs: row.latencyUs / (row.row - 10.5) } : row));
    const error = catchError(() => fitOf(fast)) as DataFileError;
    expect(error).toBeInstanceOf(DataFileError);
    expect(error.location).toEqual({ file: "data.csv", row: 13, column: "latency_us" });
    expect(error.message).toContain("times what the memory of H100 can deliver");
    expect(error.message).toContain("working_set_bytes");
  });

  it("leave a pattern unmeasured, with the reason, when too few sizes are left", () => {
    const { characterization, notMeasured } = fitOf([
      ...rowsOf("sequential", 0.9),
      ...rowsOf("scattered", 0.8, { sizes: SIZES.slice(0, 5) }),
    ]);
    expect(characterization.scattered).toBeNull();
    const reasons = notMeasured.filter(({ what }) => what === "scattered").map(({ reason }) => reason);
    expect(reasons).toHaveLength(1);
    expect(reasons[0]).toMatch(
      /4 rows may have run from the L2 cache; it takes rows with 3 different bytes or more, .* above 104857600, 2 times the L2 cache of H100/,
    );
  });

  it("leave a pattern unmeasured when latency hardly grows with bytes, though no row is impossible", () => {
    const rows = rowsOf("sequential", 0.9).map((row) => ({
      ...row,
      latencyUs: 12_000 + row.bytes / (10 * bytesPerUs),
    }));
    const { notMeasured, characterization } = fitOf([...rows, ...rowsOf("mixed", 0.8)]);
    expect(characterization.sequential).toBeNull();
    expect(notMeasured.find(({ what }) => what === "sequential")?.reason).toContain("grows less with bytes");
  });

  it("are an error when nothing is left", () => {
    expect(() => fitOf(rowsOf("sequential", 0.9, { sizes: SIZES.slice(0, 3) }))).toThrow(/nothing in it can be used/);
    expect(() => fitOf([])).toThrow(/sequential: no rows.*launch gap: no rows/);
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
