import type { Operator, OperatorDims } from "../model/operator.js";
import type { GpuEfficiency, KernelFitReport } from "./gpuEfficiency.js";
import type { PriceSource } from "./kernelModel.js";

/** What is known of how wrong the kernel prices of a GPU are. */
export interface KernelErrors {
  /** Standard deviation of ln(true / price) of one operator, whose error is its own. */
  operatorSd(operator: Operator, source: PriceSource): number;
  /** The same of what all prices of the GPU have in common. */
  readonly commonSd: number;
  /** Whether what no kernel measurement shows was chosen on whole runs of this GPU. */
  readonly isAnchored: boolean;
}

/** Standard deviation of a normal error whose mean absolute value is 1. */
const SD_PER_MEAN_ABSOLUTE = Math.sqrt(Math.PI / 2);
/** Mean |error| of a step priced with a relative's efficiencies, percent: `eval/transfer`, over its twenty pairs. */
const TRANSFER_MAPE_PERCENT = 7.5;
/**
 * Mean |error| of a user's tables, percent: tables of one GPU measured with different engine versions differ by 3 to
 * 5 % on H100 (`eval/kernels`).
 */
const TABLE_MAPE_PERCENT = 4;
/** Mean |difference| of two projects' all-reduces above 1 MiB on H100, 9 to 12 % (`eval/kernels/crossCheck.ts`), … */
const LARGE_COLLECTIVE_MAPE_PERCENT = 10.5;
const LARGE_COLLECTIVE_BYTES = 2 ** 20;
/** … and what knots miss of the rows between them, 1 to 3 %; below that size the other project has no comparable rows. */
const SMALL_COLLECTIVE_MAPE_PERCENT = 3;
/**
 * Mean |error| of a product or an attention whose dtype has no fit of its own, percent: three constants without a
 * surface miss the shapes of H100's fp16 tables by so much.
 */
const UNFITTED_MAPE_PERCENT = 14;
/** Sampling and small kernels are values with which simulated runs agree with real ones, not measured: a guess. */
const UNMEASURED_SD = 0.25;

/** GPUs whose whole runs the unmeasured values were chosen on. */
const ANCHORED_GPUS: readonly string[] = ["H100"];
/**
 * What remains of the spread of an unmeasured value on such a GPU. Together those values (small kernels, sampler, gaps,
 * skew) spread a step by about 1.2 %. Six runs whose steps vary by 1.9 % for other reasons (kernels' own errors 1.2 %, one
 * run to the next 1.5 %) tell their sum to 1.9 % / √6 = 0.8 %; both together leave 0.65 %, about half.
 */
export const ANCHORED_FRACTION = 0.5;

type FittedCategory = "gemm" | "grouped-gemm" | "attention-decode" | "attention-prefill" | "mla-decode" | "mla-prefill";

type FittedDims = Extract<OperatorDims, { category: FittedCategory }>;

/** Errors by size, at the middles of the buckets (ln size). */
interface FamilyErrors {
  readonly lnSizes: readonly number[];
  readonly sds: readonly number[];
}

/**
 * Errors of the prices that efficiencies give on a GPU, from what their fits left over: by family and dtype,
 * interpolated over the size of the work, because small decodes are known three or four times better than large
 * prefills. What counts is how far the prices of a whole shape are off that the fit had not seen: a run meets the same
 * shapes in every step.
 *
 * @param gpuId the GPU priced; another one than the efficiencies were fitted on makes all prices uncertain together
 */
export function kernelErrors({ gpu, fits }: Pick<GpuEfficiency, "gpu" | "fits">, gpuId: string): KernelErrors {
  const families = new Map<string, Map<string, FamilyErrors>>();
  for (const fit of fits) {
    const byDtype = families.get(fit.family) ?? new Map<string, FamilyErrors>();
    families.set(fit.family, byDtype.set(fit.dtype, familyErrors(fit)));
  }
  const isAnchored = ANCHORED_GPUS.includes(gpuId);
  const unmeasuredSd = UNMEASURED_SD * (isAnchored ? ANCHORED_FRACTION : 1);
  return {
    operatorSd({ dims }, source) {
      if (source === "measured") return sdOf(TABLE_MAPE_PERCENT);
      if (dims.category === "collective") return collectiveSd(dims.messageBytes);
      if (dims.category === "batched-gemm") return sdOf(UNFITTED_MAPE_PERCENT);
      if (!isFitted(dims)) return unmeasuredSd;
      const dtype = dtypeOf(dims);
      const errors = families.get(dims.category)?.get(dtype === "fp16" ? "bf16" : dtype);
      return errors === undefined ? sdOf(UNFITTED_MAPE_PERCENT) : interpolate(errors, Math.log(bucketSize(dims)));
    },
    commonSd: gpu === gpuId ? 0 : sdOf(TRANSFER_MAPE_PERCENT),
    isAnchored,
  };
}

function sdOf(mapePercent: number): number {
  return (mapePercent / 100) * SD_PER_MEAN_ABSOLUTE;
}

function collectiveSd(messageBytes: number): number {
  return sdOf(messageBytes > LARGE_COLLECTIVE_BYTES ? LARGE_COLLECTIVE_MAPE_PERCENT : SMALL_COLLECTIVE_MAPE_PERCENT);
}

function isFitted(dims: OperatorDims): dims is FittedDims {
  const { category } = dims;
  return (
    category === "gemm" ||
    category === "grouped-gemm" ||
    category === "attention-decode" ||
    category === "attention-prefill" ||
    category === "mla-decode" ||
    category === "mla-prefill"
  );
}

/** Expanded keys and values are 16-bit, whatever the cache holds. */
function dtypeOf(dims: FittedDims): string {
  if (dims.category === "mla-prefill") return "bf16";
  return "weightDtype" in dims ? dims.weightDtype : dims.kvDtype;
}

/** How much an operator has of what the buckets of its family count, ≥ 1. */
function bucketSize(dims: FittedDims): number {
  switch (dims.category) {
    case "gemm":
      return Math.max(1, dims.m);
    case "grouped-gemm":
      return Math.max(1, dims.numTokens);
    case "attention-decode":
      return Math.max(1, dims.numRequests * dims.numKvHeads);
    case "mla-decode":
      return Math.max(1, dims.numRequests);
    case "attention-prefill":
    case "mla-prefill":
      return dims.chunks.reduce((longest, { newTokens }) => Math.max(longest, newTokens), 1);
  }
}

function familyErrors({ buckets }: KernelFitReport): FamilyErrors {
  const bound = ({ upTo }: { readonly upTo: number | null }) => upTo ?? Number.POSITIVE_INFINITY;
  const ascending = [...buckets].sort((a, b) => bound(a) - bound(b));
  return {
    lnSizes: ascending.map(({ upTo }, i) => Math.log(middleSize(ascending[i - 1]?.upTo ?? 1, upTo))),
    sds: ascending.map(({ mapePercent, shapeMapePercent }) => sdOf(shapeMapePercent ?? mapePercent)),
  };
}

/** Geometric middle of a bucket; the last one is taken to reach to twice its lower bound. */
function middleSize(above: number, upTo: number | null): number {
  return Math.sqrt(above * (upTo ?? 2 * above));
}

/** Linear between the middles, constant outside. */
function interpolate({ lnSizes, sds }: FamilyErrors, lnSize: number): number {
  const last = lnSizes.length - 1;
  if (lnSize <= lnSizes[0]!) return sds[0]!;
  if (lnSize >= lnSizes[last]!) return sds[last]!;
  let index = 0;
  while (lnSize >= lnSizes[index + 1]!) index++;
  const share = (lnSize - lnSizes[index]!) / (lnSizes[index + 1]! - lnSizes[index]!);
  return sds[index]! + share * (sds[index + 1]! - sds[index]!);
}
