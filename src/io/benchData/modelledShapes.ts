import { ConfigError } from "../../core/errors/simulationError.js";
import type { AttentionHeads, GroupedGemmRow } from "../../core/kernels/tables/kernelTable.js";
import type { ModelArchitecture } from "../../core/model/modelArchitecture.js";
import type { Operator } from "../../core/model/operator.js";
import { operators } from "../../core/model/operators.js";
import { requireShardable } from "../../core/model/sharding.js";

/** Weight matrix of a linear layer on one GPU. */
export interface MatrixShape {
  readonly k: number;
  readonly n: number;
}

export type ExpertShape = Pick<
  GroupedGemmRow,
  "numExperts" | "numLocalExperts" | "topK" | "hiddenSize" | "intermediateSize"
>;

/** Distinct kernel shapes, sorted. */
export interface KernelShapes {
  readonly matrices: readonly MatrixShape[];
  readonly heads: readonly Omit<AttentionHeads, "kvDtype">[];
  readonly experts: readonly ExpertShape[];
}

const TENSOR_PARALLEL_SIZES = [1, 2, 4, 8];

/** The shapes that serving these models at TP 1, 2, 4 and 8 needs, as far as each can be split. */
export function kernelShapes(architectures: readonly ModelArchitecture[]): KernelShapes {
  return shapesOf(architectures.flatMap(operatorsAtEveryTp));
}

/** The shapes that serving a model on so many GPUs needs. */
export function kernelShapesAt(architecture: ModelArchitecture, tensorParallelSize: number): KernelShapes {
  return shapesOf(decodeTokenOperators(architecture, tensorParallelSize));
}

function shapesOf(kernels: readonly Operator[]): KernelShapes {
  const matrices = new Map<string, MatrixShape>();
  const heads = new Map<string, Omit<AttentionHeads, "kvDtype">>();
  const experts = new Map<string, ExpertShape>();
  for (const { dims } of kernels) {
    if (dims.category === "gemm") {
      const { k, n } = dims;
      matrices.set(sortKey([k, n]), { k, n });
    } else if (dims.category === "attention-decode") {
      const { numHeads, numKvHeads, headDim } = dims;
      heads.set(sortKey([numHeads, numKvHeads, headDim]), { numHeads, numKvHeads, headDim });
    } else if (dims.category === "grouped-gemm") {
      const { numExperts, numLocalExperts, topK, hiddenSize, intermediateSize } = dims;
      const shape = { numExperts, numLocalExperts, topK, hiddenSize, intermediateSize };
      experts.set(sortKey([numExperts, topK, hiddenSize, intermediateSize]), shape);
    }
  }
  return { matrices: sortedValues(matrices), heads: sortedValues(heads), experts: sortedValues(experts) };
}

/** One decode token's operators at each TP size the model can be split to. */
export function operatorsAtEveryTp(architecture: ModelArchitecture): Operator[] {
  return shardableSizes(architecture).flatMap((size) => decodeTokenOperators(architecture, size));
}

/** The TP sizes that shapes are listed for and the model can be split to. */
export function shardableSizes(architecture: ModelArchitecture): number[] {
  return TENSOR_PARALLEL_SIZES.filter((size) => isShardable(architecture, size));
}

/** Operators of a step of one greedy decode token in bf16. */
export function decodeTokenOperators(architecture: ModelArchitecture, tensorParallelSize: number): Operator[] {
  const tokens = {
    numTokens: 1,
    numUnpaddedTokens: 1,
    numSampledTokens: 1,
    prefillChunks: [],
    decodeContextTokens: [1],
  };
  const dtypes = { weightDtype: "bf16", kvDtype: "bf16" } as const;
  return operators(architecture, { tensorParallelSize }, dtypes, { sortsLogits: false }, tokens);
}

function isShardable(architecture: ModelArchitecture, tensorParallelSize: number): boolean {
  try {
    requireShardable(architecture, tensorParallelSize);
    return true;
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}

/** Sorts as text the way the numbers sort. */
function sortKey(numbers: readonly number[]): string {
  return numbers.map((value) => String(value).padStart(9, "0")).join(" ");
}

function sortedValues<Shape>(shapes: ReadonlyMap<string, Shape>): Shape[] {
  return [...shapes.keys()].sort().map((key) => shapes.get(key)!);
}
