import { describe, expect, it } from "vitest";
import type { VllmVersion } from "../../../../src/core/config/vllmVersion.js";
import {
  cudaGraphCaptureSizes,
  padToCaptureSize,
  roundToDecodeLength,
} from "../../../../src/core/stepmodel/cudaGraph.js";
import { readSpecJson } from "../../../golden/specFile.js";

interface VectorFile {
  readonly cudagraph: Readonly<Record<string, { readonly sizes: readonly number[] }>>;
  readonly "padding_v0.15_512": Readonly<Record<string, number | null>>;
}

const vectors = readSpecJson("vllm-scheduler/vectors.json") as VectorFile | null;

describe("CUDA graph sizes", () => {
  it("are ascending, begin at 1 and end within every limit", () => {
    for (const version of ["0.11.0", "0.12", "0.15"] as const) {
      for (const maxNumSeqs of [1, 3, 20, 128, 1024]) {
        for (const budget of [1, 100, 8192]) {
          const sizes = cudaGraphCaptureSizes(version, maxNumSeqs, budget, 0);
          expect(sizes[0]).toBe(1);
          expect([...sizes].sort((a, b) => a - b)).toEqual(sizes);
          expect(new Set(sizes).size).toBe(sizes.length);
          expect(sizes.at(-1)).toBeLessThanOrEqual(Math.min(512, 2 * maxNumSeqs, budget));
        }
      }
    }
  });

  it("count drafts from 0.13 on", () => {
    expect(cudaGraphCaptureSizes("0.12", 16, 8192, 3).at(-1)).toBe(32);
    expect(cudaGraphCaptureSizes("0.13", 16, 8192, 3).at(-1)).toBe(128);
  });

  it("round up to whole decodes, each once", () => {
    expect(roundToDecodeLength([1, 2, 4, 8, 16], 2)).toEqual([3, 6, 9]);
    expect(roundToDecodeLength([1, 2, 4, 8], 0)).toEqual([1, 2, 4, 8]);
  });

  it("pad to the next size, and never beyond the largest", () => {
    const sizes = cudaGraphCaptureSizes("0.15", 1024, 8192, 0);
    for (let numTokens = 1; numTokens <= 520; numTokens++) {
      const expected = sizes.find((size) => size >= numTokens) ?? null;
      expect(padToCaptureSize(sizes, numTokens)).toBe(expected);
    }
    expect(padToCaptureSize([], 1)).toBeNull();
  });
});

describe.skipIf(vectors === null)("CUDA graph vectors (skipped when ../shared is absent)", () => {
  it.each(Object.entries(vectors?.cudagraph ?? {}))("%s", (key, { sizes }) => {
    const fields = /^(\S+) max_num_seqs=(\d+) budget=(\d+) k=(\d+)$/.exec(key)!;
    const version = fields[1] as VllmVersion;
    expect(cudaGraphCaptureSizes(version, Number(fields[2]), Number(fields[3]), Number(fields[4]))).toEqual(sizes);
  });

  it("pads as listed", () => {
    const sizes = cudaGraphCaptureSizes("0.15", 1024, 8192, 0);
    const paddings = Object.entries(vectors?.["padding_v0.15_512"] ?? {});
    expect(paddings.length).toBeGreaterThan(0);
    for (const [numTokens, padded] of paddings) expect(padToCaptureSize(sizes, Number(numTokens))).toBe(padded);
  });
});
