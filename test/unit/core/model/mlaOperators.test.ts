import { describe, expect, it } from "vitest";
import { attentionOperators } from "../../../../src/core/model/attentionOperators.js";
import { memoryProfile } from "../../../../src/core/model/memoryProfile.js";
import { mlaDecodeFlops } from "../../../../src/core/model/mlaOperators.js";
import { type Operator, operatorBytes, type PrefillChunk } from "../../../../src/core/model/operator.js";
import { operators } from "../../../../src/core/model/operators.js";
import { weightBytesPerGpu } from "../../../../src/core/model/weights.js";
import { builtIn } from "./builtInModels.js";

const V3 = builtIn("deepseek-ai/DeepSeek-V3");
const DTYPES = { weightDtype: "fp8", kvDtype: "bf16" } as const;

function list(tensorParallelSize: number, prefillChunks: readonly PrefillChunk[], decodeContextTokens: number[]) {
  const numTokens = prefillChunks.reduce((sum, { newTokens }) => sum + newTokens, decodeContextTokens.length);
  const tokens = { numTokens, numUnpaddedTokens: numTokens, numSampledTokens: 1, prefillChunks, decodeContextTokens };
  return operators(V3, { tensorParallelSize }, DTYPES, { sortsLogits: false }, tokens);
}

function named(found: readonly Operator[], name: string): Operator {
  const operator = found.find((candidate) => candidate.name === name);
  if (operator === undefined) throw new Error(`no ${name}`);
  return operator;
}

const ALL = list(8, [{ newTokens: 100, contextTokens: 300 }], [1000, 3000]);

describe("the operators of latent attention", () => {
  it("are expanded for prompts and absorbed for decodes", () => {
    const names = ALL.map(({ name }) => name);
    const attention = names.slice(names.indexOf("qkv_a_proj"), names.indexOf("attention_all_reduce"));
    expect(attention).toEqual([
      "qkv_a_proj",
      "q_a_norm",
      "q_b_proj",
      "kv_a_norm",
      "rope",
      "kv_b_proj",
      "context_gather",
      "context_kv_b_proj",
      "attention_prefill",
      "w_uk_bmm",
      "attention_decode",
      "w_uv_bmm",
      "o_proj",
    ]);
  });

  it("split heads over the GPUs, and keep latents whole on each", () => {
    const shapes = ["qkv_a_proj", "q_b_proj", "kv_b_proj", "o_proj"].map((name) => {
      const { dims } = named(ALL, name);
      return dims.category === "gemm" ? [dims.k, dims.n] : [];
    });
    expect(shapes).toEqual([
      [7168, 1536 + 512 + 64],
      [1536, 16 * 192],
      [512, 16 * 256],
      [16 * 128, 7168],
    ]);
    for (const tensorParallelSize of [1, 2, 8]) {
      const decode = named(list(tensorParallelSize, [], [1000, 3000]), "attention_decode");
      expect(decode.kvReadBytes).toBe(4000 * 576 * 2);
      expect(decode.kvWriteBytes).toBe(2 * 576 * 2);
      expect(decode.flops * tensorParallelSize).toBe(128 * 4000 * (2 * (512 + 64) + 2 * 512));
    }
  });

  it("count the absorbed FLOPs of a whole decode layer: h·L·(2(rk+dr)+2rk), 2176 for each head and token", () => {
    expect(mlaDecodeFlops({ numHeads: 128, kvLoraRank: 512, ropeHeadDim: 64 }, 1)).toBe(128 * 2176);
  });

  it("attend in prompts with 192 dims of keys and 128 of values, over pairs and not squares", () => {
    const { flops, kvReadBytes, kvWriteBytes } = named(ALL, "attention_prefill");
    expect(flops).toBe(2 * 16 * (192 + 128) * (100 * 300 + (100 * 101) / 2));
    expect([kvReadBytes, kvWriteBytes]).toEqual([0, 100 * 576 * 2]);
    expect(named(ALL, "context_gather").kvReadBytes).toBe(300 * 576 * 2);
    expect(named(ALL, "context_kv_b_proj").inputShape).toEqual([300, 512]);
    expect(named(ALL, "kv_b_proj").inputShape).toEqual([100, 512]);
  });

  it("expand no context where there is none", () => {
    const names = list(8, [{ newTokens: 100, contextTokens: 0 }], []).map(({ name }) => name);
    expect(names).not.toContain("context_gather");
    expect(names).not.toContain("w_uk_bmm");
  });

  it("never do less in total for a prompt that is cut into chunks", () => {
    const work = (chunks: readonly PrefillChunk[]) =>
      chunks
        .flatMap((chunk) =>
          attentionOperators(V3, { tensorParallelSize: 8 }, DTYPES, {
            prefillChunks: [chunk],
            decodeContextTokens: [],
          }),
        )
        .reduce(
          (sum, operator) => ({ flops: sum.flops + operator.flops, bytes: sum.bytes + operatorBytes(operator) }),
          {
            flops: 0,
            bytes: 0,
          },
        );
    const whole = work([{ newTokens: 4096, contextTokens: 0 }]);
    const cut = work([0, 1024, 2048, 3072].map((contextTokens) => ({ newTokens: 1024, contextTokens })));
    // The context is expanded again by each chunk: 1 + 2 + 3 thousand tokens.
    expect(cut.flops - whole.flops).toBe(6 * 1024 * 2 * 512 * 16 * 256);
    expect(cut.bytes).toBeGreaterThan(whole.bytes);
  });
});

describe("DeepSeek-V3 in fp8 on 8 H200", () => {
  it("takes 84 to 86 GB of each for weights, and 70 kB for a token", () => {
    // 671 GB in fp8 over 8 GPUs is 83.9; what is whole on every GPU (latent projections, routers) and what stays or is unpacked
    // to 16 bits comes on top.
    const gigabytes = weightBytesPerGpu(V3, 8, "fp8") / 1e9;
    expect(gigabytes).toBeGreaterThan(671 / 8);
    expect(gigabytes).toBeLessThan(671 / 8 + 2);
    const profile = memoryProfile(V3, {
      ...DTYPES,
      tensorParallelSize: 8,
      gpuCapacityBytes: 150_754_820_096,
      gpuMemoryUtilization: 0.9,
      maxNumBatchedTokens: 8192,
      maxNumSeqs: 1024,
      maxModelLen: 163_840,
      blockSize: 64,
    });
    expect(profile.bytesPerBlock).toBe(64 * 61 * 576 * 2);
    expect(profile.numGpuBlocks).toBe(Math.floor(profile.kvCacheBytes / profile.bytesPerBlock));
    // A workspace of 65,536 cached tokens, expanded to 16 heads of 128 + 128, is part of the profile: 0.5 GB.
    expect(profile.activationPeakBytes).toBeGreaterThan(65_536 * 16 * 256 * 2);
  });
});
