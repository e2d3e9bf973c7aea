import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  blocksForTokens,
  type KvLayer,
  kvBytesPerToken,
  kvCacheLayout,
  kvPageBytes,
  uniformKvCacheLayout,
} from "../../../../src/core/model/kvCacheSize.js";
import type { KvDtype } from "../../../../src/core/units/dtype.js";
import { builtIn, readJson, referenceFolder } from "./builtInModels.js";

interface Vector {
  readonly name: string;
  readonly page_bytes_per_layer: number;
  readonly layers_counted: number;
  readonly bytes_per_block: number;
  readonly available_bytes: number;
  readonly num_gpu_blocks: number;
  readonly groups?: { readonly full: number; readonly sliding: number };
}

interface Setting {
  readonly layer: KvLayer;
  readonly blockSize: number;
  readonly tensorParallelSize: number;
  readonly kvDtype: KvDtype;
  /** Layers by sliding window. */
  readonly layers: readonly (readonly [slidingWindow: number, numLayers: number])[];
}

const gqa = (numKvHeads: number, headDim: number): KvLayer => ({ kind: "gqa", numKvHeads, headDim });
const setting = (layer: KvLayer, layers: Setting["layers"], other: Partial<Setting> = {}): Setting => ({
  layer,
  layers,
  blockSize: 16,
  tensorParallelSize: 1,
  kvDtype: "bf16",
  ...other,
});

/** What the names of the vectors say, in their order. */
const SETTINGS: readonly (readonly [start: string, Setting])[] = [
  ["Llama-3.1-8B bf16 block16 TP1", setting(gqa(8, 128), [[0, 32]])],
  ["Llama-3.1-8B bf16 block16 TP2", setting(gqa(8, 128), [[0, 32]], { tensorParallelSize: 2 })],
  ["Llama-3.1-70B bf16 block16 TP8", setting(gqa(8, 128), [[0, 80]], { tensorParallelSize: 8 })],
  ["Llama-3.1-70B bf16 block16 TP16", setting(gqa(8, 128), [[0, 80]], { tensorParallelSize: 16 })],
  ["Llama-3.1-8B fp8 KV", setting(gqa(8, 128), [[0, 32]], { kvDtype: "fp8" })],
  [
    "DeepSeek-V3 MLA",
    setting({ kind: "mla", kvLoraRank: 512, ropeHeadDim: 64 }, [[0, 61]], { blockSize: 64, tensorParallelSize: 8 }),
  ],
  ["DeepSeek-V3.2 sparse", setting({ kind: "sparse-mla-fp8" }, [[0, 61]], { blockSize: 64 })],
  [
    "gpt-oss-20b",
    setting(gqa(8, 64), [
      [0, 12],
      [128, 12],
    ]),
  ],
  [
    "gemma3-27b-like",
    setting(gqa(16, 128), [
      [0, 10],
      [1024, 52],
    ]),
  ],
];

describe.skipIf(referenceFolder === null)("KV sizes of the vLLM specification", () => {
  const file = join(referenceFolder ?? "", "specs/vllm-scheduler/vectors.json");
  const vectors = referenceFolder === null ? [] : (readJson(file) as { kv: Vector[] }).kv;

  it("are all covered", () => {
    expect(vectors.map((vector) => SETTINGS.some(([start]) => vector.name.startsWith(start)))).toEqual(
      SETTINGS.map(() => true),
    );
  });

  it.each(vectors.map((vector) => [vector.name, vector] as const))("%s", (name, vector) => {
    const [, given] = SETTINGS.find(([start]) => name.startsWith(start)) ?? [];
    if (given === undefined) throw new Error(`no setting for ${name}`);
    const pageBytes = kvPageBytes(given.layer, given);
    expect(pageBytes).toBe(vector.page_bytes_per_layer);
    const layout = kvCacheLayout(
      given.layers.map(([slidingWindow, numLayers]) => ({ slidingWindow, numLayers, pageBytes })),
    );
    expect(layout.layersCounted).toBe(vector.layers_counted);
    expect(layout.bytesPerBlock).toBe(vector.bytes_per_block);
    expect(Math.floor(vector.available_bytes / layout.bytesPerBlock)).toBe(vector.num_gpu_blocks);
    if (vector.groups !== undefined) {
      const [full, sliding] = layout.groups.map((group) => group.numGroups);
      expect({ full, sliding }).toEqual(vector.groups);
    }
  });
});

describe("KV cache of built-in models", () => {
  it("takes 128 KiB a token for Llama-3.1-8B", () => {
    expect(kvBytesPerToken(builtIn("meta-llama/Llama-3.1-8B"), 1, "bf16")).toBe(131_072);
  });

  it("agrees with the block size in bytes for models with one kind of layer", () => {
    const architecture = builtIn("Qwen/Qwen3-32B");
    const options = { blockSize: 32, tensorParallelSize: 4, kvDtype: "fp8" } as const;
    const layout = uniformKvCacheLayout(architecture, options);
    expect(layout.bytesPerBlock).toBe(32 * kvBytesPerToken(architecture, 4, "fp8"));
  });

  it("counts every layer of gemma-2, windowed or not, as the engine allocates them", () => {
    const architecture = builtIn("google/gemma-2-9b");
    const options = { blockSize: 16, tensorParallelSize: 1, kvDtype: "bf16" } as const;
    const layout = uniformKvCacheLayout(architecture, options);
    expect(layout.layersCounted).toBe(42);
    expect(layout.bytesPerBlock).toBe(16 * kvBytesPerToken(architecture, 1, "bf16"));
  });

  it("splits 21 full and 21 sliding layers into two groups of equal size", () => {
    const layout = kvCacheLayout([
      { slidingWindow: 0, numLayers: 21, pageBytes: 100 },
      { slidingWindow: 4096, numLayers: 21, pageBytes: 100 },
    ]);
    expect(layout).toEqual({
      bytesPerBlock: 2100,
      layersCounted: 21,
      groups: [
        { slidingWindow: 0, numGroups: 1 },
        { slidingWindow: 4096, numGroups: 1 },
      ],
    });
  });

  it("pads the rarer type when the counts are within a quarter", () => {
    const layout = kvCacheLayout([
      { slidingWindow: 0, numLayers: 10, pageBytes: 100 },
      { slidingWindow: 64, numLayers: 12, pageBytes: 100 },
    ]);
    expect(layout).toEqual({
      bytesPerBlock: 1200,
      layersCounted: 12,
      groups: [
        { slidingWindow: 0, numGroups: 1 },
        { slidingWindow: 64, numGroups: 1 },
      ],
    });
  });

  it("needs blocks for the whole sequence in full groups, for the window in sliding ones", () => {
    const layout = {
      bytesPerBlock: 1,
      layersCounted: 1,
      groups: [
        { slidingWindow: 0, numGroups: 1 },
        { slidingWindow: 128, numGroups: 2 },
      ],
    };
    const limits = { blockSize: 16, maxNumBatchedTokens: 256 };
    expect(blocksForTokens(layout, 1601, limits)).toBe(101 + 2 * (24 + 1));
    expect(blocksForTokens(layout, 16, limits)).toBe(1 + 2 * 2);
  });
});
