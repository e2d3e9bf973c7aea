import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { COLLECT_SHAPES_FILE, collectShapesText } from "../../../../eval/kernels-tables/collectShapes.js";
import { hasLatentAttention } from "../../../../src/core/model/layerKinds.js";
import { kernelShapes } from "../../../../src/io/benchData/modelledShapes.js";
import { BENCH_DATA_FOLDER, loadModelCatalog } from "../../../../src/io/catalog.js";

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
      const withoutModel = listed[family].map(({ firstFor, ...shape }: { firstFor: string }) => JSON.stringify(shape));
      expect(new Set(withoutModel).size).toBe(withoutModel.length);
      expect([...withoutModel].sort()).toEqual(wanted[family].map((shape) => JSON.stringify(shape)).sort());
    }
  });

  it("begin with the most used model", () => {
    const { matrices, heads } = JSON.parse(text);
    expect(matrices[0].firstFor).toBe("meta-llama/Llama-3.1-8B");
    expect(heads[0].firstFor).toBe("meta-llama/Llama-3.1-8B");
  });
});
