import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { resolveGpuId } from "../../../src/core/hardware/gpuCatalog.js";
import { gpuEfficiencySchema } from "../../../src/core/kernels/gpuEfficiency.js";
import { resolveModelId } from "../../../src/core/model/modelCatalog.js";
import {
  BENCH_DATA_FOLDER,
  loadGpu,
  loadGpuCatalog,
  loadGpuEfficiency,
  loadModel,
  loadModelCatalog,
} from "../../../src/io/catalog.js";

describe("a built-in model or GPU, of which only its own file is parsed", () => {
  const models = loadModelCatalog();
  const modelNames = models.flatMap(({ id, aliases }) => [id, ...aliases]);
  const shortNames = modelNames.map((name) => name.replace(/^.*\//, ""));
  const variants = modelNames.map((name) => `${name}-Instruct`);

  it("is the model that the whole catalogue has under that name", () => {
    for (const name of [...modelNames, ...shortNames, ...variants, ...modelNames.map((name) => name.toUpperCase())]) {
      expect(loadModel(name), name).toEqual(resolveModelId(name, models).architecture);
    }
  });

  it("is the GPU that the whole catalogue has under that name", () => {
    const gpus = loadGpuCatalog();
    for (const name of gpus.flatMap(({ id, name, aliases }) => [id, name, ...aliases, id.toLowerCase()])) {
      expect(loadGpu(name), name).toEqual(resolveGpuId(name, gpus));
    }
  });

  it("is refused by the name that the whole catalogue has nearest to it", () => {
    expect(() => loadModel("meta-llama/Lama-3.1-8B")).toThrow("did you mean meta-llama/Llama-3.1-8B?");
    expect(() => loadGpu("H10O")).toThrow("did you mean H100?");
  });
});

describe("shipped efficiencies, which are not checked when they are read", () => {
  const ids = readdirSync(join(BENCH_DATA_FOLDER, "efficiency"))
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.replace(/\.json$/, ""));

  it.each(ids)("%s is as the schema has it, without defaults to fill in", (id) => {
    const read = loadGpuEfficiency(id);
    expect(gpuEfficiencySchema.parse(read)).toEqual(read);
    expect(read?.gpu).toBe(id);
  });
});
