import { join } from "node:path";
import { hasLatentAttention } from "../../src/core/model/layerKinds.js";
import type { ModelArchitecture } from "../../src/core/model/modelArchitecture.js";
import type { OperatorCategory } from "../../src/core/model/operator.js";
import { operators } from "../../src/core/model/operators.js";
import {
  decodeTokenOperators,
  type KernelShapes,
  kernelShapes,
  type MatrixShape,
  shardableSizes,
} from "../../src/io/benchData/modelledShapes.js";
import { loadGpuCatalog, loadModelCatalog } from "../../src/io/catalog.js";
import { writeFileAtomically } from "../../src/io/results/atomicFile.js";

/** Where the measuring program finds them, relative to `bench_data`. */
export const COLLECT_SHAPES_FILE = join("collect", "shapes.json");

/**
 * Models whose kernels are measured first: those most asked for and those that published runs can be compared with.
 * The others follow in the order of their files.
 */
const MODELS_FIRST = [
  "meta-llama/Llama-3.1-8B",
  "meta-llama/Llama-3.1-70B",
  "Qwen/Qwen3-30B-A3B",
  "mistralai/Mixtral-8x7B-v0.1",
  "meta-llama/Llama-2-7b",
  "Qwen/Qwen3-14B",
];

/** Models whose whole steps are measured: the most used dense one, and the smallest with experts. */
const WHOLE_STEP_MODELS = ["meta-llama/Llama-3.1-8B", "Qwen/Qwen3-30B-A3B"];

/** Kernels that only move activations; what they cost depends on bytes, so that a few models' sizes say all. */
const MEMORY_CATEGORIES: readonly OperatorCategory[] = ["norm", "rope", "activation", "elementwise"];
const NUM_ELEMENTWISE_MODELS = 6;

/** A small kernel as the operator list has it. */
interface ElementwiseShape {
  readonly name: string;
  readonly inputSize: number;
  readonly outputSize: number;
  readonly activationBytesPerToken: number;
  readonly weightBytes: number;
  readonly headDim: number;
}

/** What a matrix has to be measured for, over all models that have it. */
interface MatrixUse {
  /** Whether fp8 checkpoints of some model hold it in fp8: LM heads and routers stay in 16 bits. */
  readonly isQuantized: boolean;
  /** Whether it only ever runs over the positions that yield a token, at most one a request. */
  readonly isSampledOnly: boolean;
}

/** Writes the shapes that `bench_data/collect` measures, first things first. */
export function writeCollectShapes(outDir: string): void {
  writeFileAtomically(join(outDir, COLLECT_SHAPES_FILE), collectShapesText());
}

/** The content of `bench_data/collect/shapes.json`: every kernel shape that built-in models need, in order of value. */
export function collectShapesText(): string {
  const models = loadModelCatalog().filter(
    ({ id, baseId, architecture }) => id === baseId && !hasLatentAttention(architecture),
  );
  const rank = (id: string): number => (MODELS_FIRST.includes(id) ? MODELS_FIRST.indexOf(id) : MODELS_FIRST.length);
  const ordered = models.map(({ architecture }) => architecture).sort((a, b) => rank(a.id) - rank(b.id));
  const wholeStepModels = WHOLE_STEP_MODELS.map((id) => ordered.find((architecture) => architecture.id === id)!);
  const lists = {
    matrices: withUse(
      ordered,
      inOrder(ordered, ({ matrices }) => matrices),
    ),
    heads: inOrder(ordered, ({ heads }) => heads),
    experts: inOrder(ordered, ({ experts }) => experts),
    elementwise: elementwiseShapes(ordered.slice(0, NUM_ELEMENTWISE_MODELS)),
    vocabularies: samplers(ordered),
    models: wholeStepModels.map(modelShape),
    gpus: loadGpuCatalog().map(({ id, name, aliases }) => ({ id, names: [name, ...aliases] })),
  };
  const sections = Object.entries(lists).map(
    ([name, list]) => ` ${JSON.stringify(name)}: [\n${list.map((item) => `  ${JSON.stringify(item)}`).join(",\n")}\n ]`,
  );
  return `{\n "schema": "roofserve.collectShapes/1",\n${sections.join(",\n")}\n}\n`;
}

/** Distinct shapes of all models, each with the first model that needs it. */
function inOrder<Shape extends object>(
  architectures: readonly ModelArchitecture[],
  pick: (shapes: KernelShapes) => readonly Shape[],
): (Shape & { readonly firstFor: string })[] {
  const seen = new Map<string, Shape & { readonly firstFor: string }>();
  for (const architecture of architectures) {
    for (const shape of pick(kernelShapes([architecture]))) {
      const key = JSON.stringify(shape);
      if (!seen.has(key)) seen.set(key, { ...shape, firstFor: architecture.id });
    }
  }
  return [...seen.values()];
}

function withUse<Shape extends MatrixShape & { readonly firstFor: string }>(
  architectures: readonly ModelArchitecture[],
  matrices: readonly Shape[],
): (Shape & MatrixUse)[] {
  const uses = matrixUses(architectures);
  return matrices.map((matrix) => ({ ...matrix, ...uses.get(matrixKey(matrix))! }));
}

const FP8 = { weightDtype: "fp8", kvDtype: "bf16" } as const;
const GREEDY = { sortsLogits: false };
/** A step of more tokens than positions that yield one: the rows of a product say which of them it runs over. */
const PROMPT = {
  numTokens: 2,
  numUnpaddedTokens: 2,
  numSampledTokens: 1,
  prefillChunks: [{ newTokens: 2, contextTokens: 0 }],
  decodeContextTokens: [],
};

/** How each matrix is used, as the operators of an fp8 checkpoint's step tell it. */
function matrixUses(architectures: readonly ModelArchitecture[]): Map<string, MatrixUse> {
  const uses = new Map<string, MatrixUse>();
  for (const architecture of architectures) {
    for (const tensorParallelSize of shardableSizes(architecture)) {
      for (const { dims } of operators(architecture, { tensorParallelSize }, FP8, GREEDY, PROMPT)) {
        if (dims.category !== "gemm") continue;
        const before = uses.get(matrixKey(dims)) ?? { isQuantized: false, isSampledOnly: true };
        uses.set(matrixKey(dims), {
          isQuantized: before.isQuantized || dims.weightDtype === "fp8",
          isSampledOnly: before.isSampledOnly && dims.m === PROMPT.numSampledTokens,
        });
      }
    }
  }
  return uses;
}

function elementwiseShapes(architectures: readonly ModelArchitecture[]): ElementwiseShape[] {
  const seen = new Map<string, ElementwiseShape>();
  for (const architecture of architectures) {
    const headDim = headsOf(architecture).headDim;
    for (const { name, dims, inputShape, outputShape, activationBytes, weightBytes } of decodeTokenOperators(
      architecture,
      1,
    )) {
      // Every norm before a block is the same kernel.
      const isRepeated = name === "post_attention_norm" || name === "final_norm";
      if (!MEMORY_CATEGORIES.includes(dims.category) || isRepeated) continue;
      const [, inputSize = 1] = inputShape;
      const [, outputSize = 1] = outputShape;
      const sizes = { name, inputSize, outputSize, activationBytesPerToken: activationBytes, weightBytes, headDim };
      seen.set(`${name} ${inputSize} ${outputSize}`, sizes);
    }
  }
  return [...seen.values()];
}

/** Vocabularies, and the bytes that sampling one row of logits moves. */
function samplers(architectures: readonly ModelArchitecture[]): { vocabSize: number; bytesPerRow: number }[] {
  const bytesPerRow = new Map<number, number>();
  for (const architecture of architectures) {
    const sample = decodeTokenOperators(architecture, 1).find(({ name }) => name === "sample")!;
    bytesPerRow.set(architecture.vocabSize, sample.activationBytes);
  }
  return [...bytesPerRow].map(([vocabSize, bytes]) => ({ vocabSize, bytesPerRow: bytes }));
}

/** The collector measures attention by heads. */
function headsOf({ layerGroups }: Pick<ModelArchitecture, "layerGroups">) {
  const attention = layerGroups[0]?.attention;
  if (attention?.kind !== "gqa") throw new Error("no shapes of latent attention are collected");
  return attention;
}

/** What the whole-step suite builds a model from: its one kind of layer. */
function modelShape({ id, hiddenSize, vocabSize, layerGroups }: ModelArchitecture) {
  const [group] = layerGroups;
  if (group === undefined || layerGroups.length > 1) throw new Error(`${id} has more than one kind of layer`);
  const { count, intermediateSize, moe } = group;
  const { numHeads, numKvHeads, headDim, hasQkNorm } = headsOf({ layerGroups: [group] });
  const heads = { numHeads, numKvHeads, headDim, hasQkNorm };
  return { id, numLayers: count, hiddenSize, vocabSize, ...heads, intermediateSize, moe };
}

function matrixKey({ k, n }: MatrixShape): string {
  return `${k} ${n}`;
}
