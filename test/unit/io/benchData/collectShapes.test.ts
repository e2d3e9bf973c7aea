import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { COLLECT_SHAPES_FILE, collectShapesText } from "../../../../eval/kernels-tables/collectShapes.js";
import { hasLatentAttention } from "../../../../src/core/model/layerKinds.js";
import { shardAttention, vocabPerGpu } from "../../../../src/core/model/sharding.js";
import { decodeTokenOperators, kernelShapes, shardableSizes } from "../../../../src/io/benchData/modelledShapes.js";
import { BENCH_DATA_FOLDER, loadModel, loadModelCatalog } from "../../../../src/io/catalog.js";

const text = collectShapesText();

describe("the shapes that bench_data/collect measures", () => {
  it("are those of the built-in models, byte for byte (else: npx tsx eval/kernels-tables/generate.ts)", () => {
    expect(readFileSync(join(BENCH_DATA_FOLDER, COLLECT_SHAPES_FILE), "utf8")).toBe(text);
  });

  it("are every shape that the modelled tables hold, each once", () => {
    const models = loadModelCatalog().filter(
      ({ id, baseId, architecture }) => id === baseId && !hasLatentAttention(architecture),
    );
    const wanted = kernelShapes(models.map(({ architecture }) => architecture));
    const listed = JSON.parse(text);
    for (const family of ["matrices", "heads", "experts"] as const) {
      const withoutModel = listed[family].map(({ firstFor, isQuantized, isSampledOnly, ...shape }: Listed) =>
        JSON.stringify(shape),
      );
      expect(new Set(withoutModel).size).toBe(withoutModel.length);
      expect([...withoutModel].sort()).toEqual(wanted[family].map((shape) => JSON.stringify(shape)).sort());
    }
  });

  it("say which matrices no fp8 checkpoint quantises, and which only run over sampled positions", () => {
    const matrices: Listed[] = JSON.parse(text).matrices;
    const marksOf = (k: number, n: number) => {
      const { isQuantized, isSampledOnly } = matrices.find((matrix) => matrix.k === k && matrix.n === n)!;
      return { isQuantized, isSampledOnly };
    };
    const llama = loadModel("meta-llama/Llama-3.1-8B");
    for (const tensorParallelSize of [1, 8]) {
      const lmHead = marksOf(llama.hiddenSize, vocabPerGpu(llama.vocabSize, tensorParallelSize));
      expect(lmHead).toEqual({ isQuantized: false, isSampledOnly: true });
    }
    const mixtral = loadModel("mistralai/Mixtral-8x7B-v0.1");
    const router = marksOf(mixtral.hiddenSize, mixtral.layerGroups[0]!.moe!.numExperts);
    expect(router).toEqual({ isQuantized: false, isSampledOnly: false });
    const { attention, intermediateSize } = llama.layerGroups[0]!;
    if (attention.kind !== "gqa") throw new Error("Llama has no latent attention");
    const qkvSize = shardAttention(attention, 1).qkvSize;
    for (const n of [qkvSize, 2 * intermediateSize]) {
      expect(marksOf(llama.hiddenSize, n)).toEqual({ isQuantized: true, isSampledOnly: false });
    }
  });

  it("take a matrix that one model has as LM head and another in its layers for both", () => {
    const key = ({ k, n }: { k: number; n: number }) => `${k} ${n}`;
    const models = loadModelCatalog().filter(
      ({ id, baseId, architecture }) => id === baseId && !hasLatentAttention(architecture),
    );
    const layerMatrices = new Set(
      models.flatMap(({ architecture }) =>
        shardableSizes(architecture).flatMap((size) =>
          decodeTokenOperators(architecture, size).flatMap(({ name, dims }) =>
            dims.category === "gemm" && name !== "lm_head" ? [key(dims)] : [],
          ),
        ),
      ),
    );
    for (const matrix of JSON.parse(text).matrices) expect(matrix.isSampledOnly).toBe(!layerMatrices.has(key(matrix)));
  });

  it("begin with the most used model", () => {
    const { matrices, heads } = JSON.parse(text);
    expect(matrices[0].firstFor).toBe("meta-llama/Llama-3.1-8B");
    expect(heads[0].firstFor).toBe("meta-llama/Llama-3.1-8B");
  });
});

interface Listed {
  readonly k: number;
  readonly n: number;
  readonly firstFor: string;
  readonly isQuantized: boolean;
  readonly isSampledOnly: boolean;
}
