import { describe, expect, it } from "vitest";
import { ScheduledBatch } from "../../src/core/batch/scheduledBatch.js";
import { engineConfigSchema, samplingConfigSchema } from "../../src/core/config/engineConfig.js";
import { HYPOTHESES, pricingConfigSchema } from "../../src/core/config/pricingConfig.js";
import { createServer } from "../../src/core/engine/createServer.js";
import { AdditiveStepModel } from "../../src/core/stepmodel/additiveStepModel.js";
import type { StepModel } from "../../src/core/stepmodel/stepModel.js";
import { DEFAULT_WAITS, WAIT_CATEGORY } from "../../src/core/stepmodel/stepWaits.js";
import { BENCH_DATA_FOLDER, loadModel } from "../../src/io/catalog.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";
import { SimpleStepModel } from "../unit/core/engine/plainServer.js";

/** The additive model of a model on H100. */
function additive(model: string, tensorParallelSize: number, benchData: string | null = null): StepModel {
  return new AdditiveStepModel({
    architecture: loadModel(model),
    parallelism: { tensorParallelSize },
    dtypes: { weightDtype: "bf16", kvDtype: "bf16" },
    sampling: { sortsLogits: true },
    kernelModel: loadDeployment({ model, gpu: "H100", benchData }).kernelModel,
    captureSizes: [1, 2, 4, 8, 16, 32],
    waits: DEFAULT_WAITS,
  });
}

/** What `--step-model` and `--toggle-hypotheses` make of a model on H100. */
function chosen(
  stepModel: string,
  toggleHypotheses: string | null,
  model = "meta-llama/Llama-3.1-8B",
  tp = 1,
): StepModel {
  const pricing = pricingConfigSchema.parse({ stepModel, toggleHypotheses });
  const engine = engineConfigSchema.parse({ tensorParallelSize: tp, numGpuBlocksOverride: 65_536 });
  const deployment = loadDeployment({ model, gpu: "H100", pricing });
  return createServer(deployment, engine, samplingConfigSchema.parse({})).stepModel;
}

const STEP_MODELS: readonly (readonly [string, () => StepModel])[] = [
  ["additive, dense", () => additive("meta-llama/Llama-3.1-8B", 1)],
  ["additive, dense over four GPUs", () => additive("meta-llama/Llama-2-70b-hf", 4)],
  ["additive, mixture of experts", () => additive("mistralai/Mixtral-8x7B-v0.1", 2)],
  ["additive, sliding windows", () => additive("google/gemma-2-9b", 1)],
  ["additive, priced from tables", () => additive("meta-llama/Llama-3.1-8B", 1, BENCH_DATA_FOLDER)],
  ["roofline-v1", () => chosen("roofline-v1", null)],
  ["roofline-v1 of experts over two GPUs", () => chosen("roofline-v1", null, "mistralai/Mixtral-8x7B-v0.1", 2)],
  ["roofline-v2", () => chosen("roofline-v2", null)],
  ["roofline-v2 of experts over two GPUs", () => chosen("roofline-v2", null, "mistralai/Mixtral-8x7B-v0.1", 2)],
  ...HYPOTHESES.flatMap((hypothesis): [string, () => StepModel][] => [
    [`additive without ${hypothesis}`, () => chosen("additive", hypothesis)],
    [`roofline-v2 with ${hypothesis}`, () => chosen("roofline-v2", hypothesis)],
  ]),
  ["the tests' own", () => new SimpleStepModel(100, 3)],
];

type Row = readonly [numNewTokens: number, numContextTokens: number, isDecode: boolean];

function batchOf(rows: readonly Row[], numSampled = rows.length, maxNumSeqs = 64): ScheduledBatch {
  const batch = new ScheduledBatch(maxNumSeqs);
  for (const [numNewTokens, numContextTokens, isDecode] of rows) batch.push(numNewTokens, numContextTokens, isDecode);
  batch.numSampled = numSampled;
  return batch;
}

const BATCHES: Readonly<Record<string, ScheduledBatch>> = {
  "one decode": batchOf([[1, 100, true]]),
  "many decodes": batchOf(new Array<Row>(40).fill([1, 700, true])),
  "a whole prompt": batchOf([[512, 0, false]]),
  "a chunk that yields nothing": batchOf([[512, 1024, false]], 0),
  "a prompt of one token": batchOf([[1, 0, false]]),
  mixed: batchOf([
    [1, 90, true],
    [1, 4000, true],
    [300, 0, false],
    [64, 64, false],
  ]),
  "drafts to verify": batchOf([[4, 200, true]], 4),
};

describe.each(STEP_MODELS)("the step model %s", (_name, create) => {
  const model = create();
  const price = (batch: ScheduledBatch): { us: number; componentsUs: Float64Array } => {
    const componentsUs = new Float64Array(model.componentNames.length);
    return { us: model.gpuUs(batch, componentsUs), componentsUs };
  };

  it("names each of its components once", () => {
    expect(model.componentNames.length).toBeGreaterThan(0);
    expect(new Set(model.componentNames).size).toBe(model.componentNames.length);
    expect(model.componentCategories).toHaveLength(model.componentNames.length);
  });

  it.each(Object.entries(BATCHES))("prices %s above 0, as the sum of components that are not negative", (_, batch) => {
    const { us, componentsUs } = price(batch);
    expect(us).toBeGreaterThan(0);
    expect(Number.isFinite(us)).toBe(true);
    for (const componentUs of componentsUs) expect(componentUs).toBeGreaterThanOrEqual(0);
    const sum = componentsUs.reduce((total, componentUs) => total + componentUs, 0);
    expect(Math.abs(sum / us - 1)).toBeLessThan(1e-9);
  });

  it("adds to the components it is given, and writes nothing else", () => {
    const componentsUs = new Float64Array(model.componentNames.length + 1).fill(5);
    const { us, componentsUs: alone } = price(BATCHES.mixed!);
    expect(model.gpuUs(BATCHES.mixed!, componentsUs)).toBe(us);
    for (const [slot, componentUs] of alone.entries()) expect(componentsUs[slot]).toBeCloseTo(5 + componentUs, 6);
    expect(componentsUs.at(-1)).toBe(5);
  });

  it("keeps nothing from one step to the next, and leaves the batch alone", () => {
    const before = structuredClone({ ...BATCHES.mixed });
    const first = price(BATCHES.mixed!).us;
    for (const batch of Object.values(BATCHES)) price(batch);
    expect(price(BATCHES.mixed!).us).toBe(first);
    expect(create().gpuUs(BATCHES.mixed!, new Float64Array(model.componentNames.length))).toBe(first);
    expect({ ...BATCHES.mixed }).toEqual(before);
  });

  it("looks at the rows in use only", () => {
    const reused = batchOf(new Array<Row>(50).fill([7, 900, false]));
    reused.clear();
    reused.push(1, 90, true);
    reused.push(300, 0, false);
    reused.numSampled = 2;
    const fresh = batchOf([
      [1, 90, true],
      [300, 0, false],
    ]);
    expect(price(reused).us).toBe(price(fresh).us);
  });

  it.each(Object.entries(BATCHES))("takes %s apart into what it priced", (_, batch) => {
    const { componentsUs } = price(batch);
    const { components, waits, numTokens, paddedTokens } = model.breakdown(batch);
    const apart = new Float64Array(model.componentNames.length);
    const parts = [
      ...components.map(({ us, operator }) => ({ us, name: operator.name, category: operator.dims.category })),
      ...waits.map((wait) => ({ ...wait, category: WAIT_CATEGORY })),
    ];
    expect(new Set(parts.map(({ name }) => name)).size).toBe(parts.length);
    for (const { us, name, category } of parts) {
      const slot = model.componentNames.indexOf(name);
      expect(model.componentCategories[slot], name).toBe(category);
      apart[slot]! += us;
    }
    for (const [slot, us] of apart.entries()) expect(us).toBeCloseTo(componentsUs[slot]!, 6);
    expect(numTokens).toBe(batch.numTokens);
    expect(paddedTokens).toBeGreaterThanOrEqual(numTokens);
    for (const { operator, lookup, efficiency } of components) {
      if (lookup.kind === "extrapolated") expect(lookup.lnDistance).toBeGreaterThan(0);
      else if (lookup.kind !== "nearest") expect(lookup.lnDistance).toBe(0);
      expect(efficiency ?? 1, operator.name).toBeGreaterThan(0);
      expect(efficiency ?? 1, operator.name).toBeLessThanOrEqual(1);
    }
    expect(model.breakdown(batch)).toEqual({ components, waits, numTokens, paddedTokens });
  });

  it("asks no less for more tokens and longer contexts", () => {
    const us = (...rows: Row[]) => price(batchOf(rows)).us;
    expect(us([600, 0, false])).toBeGreaterThanOrEqual(us([512, 0, false]));
    expect(us([512, 500, false])).toBeGreaterThanOrEqual(us([512, 0, false]));
    expect(us([1, 900, true])).toBeGreaterThanOrEqual(us([1, 100, true]));
    expect(us([1, 100, true], [1, 100, true])).toBeGreaterThanOrEqual(us([1, 100, true]));
  });
});
