import type { KernelTableSet } from "../../core/kernels/tables/kernelTable.js";
import type { ModelArchitecture } from "../../core/model/modelArchitecture.js";
import { type ExpertShape, kernelShapesAt, shardableSizes } from "./modelledShapes.js";

/** Which built-in models a GPU's tables have rows for, every kernel of theirs; elsewhere the efficiency model prices. */
export interface TableCoverage {
  readonly gpu: string;
  readonly models: readonly ModelCoverage[];
  /** Kinds of kernels without a row, in words: `fp8 experts`. */
  readonly without: readonly string[];
}

export interface ModelCoverage {
  readonly id: string;
  /** TP sizes, of 1, 2, 4 and 8, at which each of its 16-bit products, experts and attention shapes has rows. */
  readonly coveredSizes: readonly number[];
  /** Those that the model cannot be split to are no gap. */
  readonly missingSizes: readonly number[];
}

/** Holds a GPU's tables against the shapes that models need. */
export function tableCoverage(
  tables: KernelTableSet,
  gpu: string,
  models: readonly { readonly id: string; readonly architecture: ModelArchitecture }[],
): TableCoverage {
  const has = shapesWithRows(tables);
  return {
    gpu,
    models: models.map(({ id, architecture }) => {
      const sizes = shardableSizes(architecture);
      const isCovered = (size: number) => {
        const { matrices, heads, experts } = kernelShapesAt(architecture, size);
        return (
          matrices.every(({ k, n }) => has.matrices.has(key(k, n))) &&
          heads.every(({ numHeads, numKvHeads, headDim }) => has.heads.has(key(numHeads, numKvHeads, headDim))) &&
          experts.every((shape) => has.experts.has(expertsKey(shape)))
        );
      };
      const coveredSizes = sizes.filter(isCovered);
      return { id, coveredSizes, missingSizes: sizes.filter((size) => !coveredSizes.includes(size)) };
    }),
    without: kindsWithoutRows(tables),
  };
}

/** Shapes of 16-bit kernels; heads where both kinds of attention have rows. */
function shapesWithRows({ gemm, groupedGemm, prefillAttention, decodeAttention }: KernelTableSet) {
  const is16Bit = (dtype: string) => dtype === "bf16" || dtype === "fp16";
  const headKeys = (rows: KernelTableSet["prefillAttention"] | KernelTableSet["decodeAttention"]) =>
    new Set(
      rows
        .filter(({ kvDtype }) => is16Bit(kvDtype))
        .map(({ numHeads, numKvHeads, headDim }) => key(numHeads, numKvHeads, headDim)),
    );
  const decode = headKeys(decodeAttention);
  return {
    matrices: new Set(gemm.filter(({ dtype }) => is16Bit(dtype)).map(({ k, n }) => key(k, n))),
    heads: new Set([...headKeys(prefillAttention)].filter((heads) => decode.has(heads))),
    experts: new Set(groupedGemm.filter(({ dtype }) => is16Bit(dtype)).map(expertsKey)),
  };
}

function kindsWithoutRows({
  gemm,
  groupedGemm,
  prefillAttention,
  decodeAttention,
  allReduce,
}: KernelTableSet): string[] {
  const kinds: readonly [string, boolean][] = [
    ["fp8 products", gemm.some(({ dtype }) => dtype === "fp8")],
    ["16-bit experts", groupedGemm.some(({ dtype }) => dtype !== "fp8" && dtype !== "int4")],
    ["fp8 experts", groupedGemm.some(({ dtype }) => dtype === "fp8")],
    ["int4 weights", [...gemm, ...groupedGemm].some(({ dtype }) => dtype === "int4")],
    ["prefill attention", prefillAttention.length > 0],
    ["decode attention", decodeAttention.length > 0],
    ["decode attention over an fp8 KV cache", decodeAttention.some(({ kvDtype }) => kvDtype === "fp8")],
    ["all-reduce", allReduce.length > 0],
    // Its tables are listed and checked, not priced from.
    ["latent attention", false],
  ];
  return kinds.filter(([, hasRows]) => !hasRows).map(([kind]) => kind);
}

function expertsKey({ numExperts, numLocalExperts, topK, hiddenSize, intermediateSize }: ExpertShape): string {
  return key(numExperts, numLocalExperts, topK, hiddenSize, intermediateSize);
}

function key(...numbers: readonly number[]): string {
  return numbers.join(" ");
}
