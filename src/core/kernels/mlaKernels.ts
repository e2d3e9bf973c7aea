import type { OperatorDims } from "../model/operator.js";
import type { GpuEfficiency, MlaDecodeEfficiency, MlaEfficiency } from "./gpuEfficiency.js";
import type { GpuRoofs } from "./gpuRoofs.js";
import { dataLookup, FORMULA, type KernelLookup } from "./kernelLookup.js";
import { MlaDecodeCost } from "./mlaDecodeKernel.js";
import { PrefillAttentionCost } from "./prefillAttentionKernel.js";

type PrefillDims = Extract<OperatorDims, { category: "mla-prefill" }>;
type DecodeDims = Extract<OperatorDims, { category: "mla-decode" }>;

/** µs of a kernel, not yet held to the datasheet's roof. */
interface MlaPrice {
  readonly us: number;
  readonly launchUs: number;
}

/** Prices latent attention by a GPU's efficiencies; a model has one shape of it, so that the last one is kept. */
export class MlaKernels {
  readonly #efficiency: MlaEfficiency;
  readonly #fallbackPrefill: GpuEfficiency["prefillAttention"]["bf16"];
  readonly #roofs: GpuRoofs;
  #prefillDims: PrefillDims | null = null;
  #prefillCost: PrefillAttentionCost | null = null;
  #decodeDims: DecodeDims | null = null;
  #decodeCost: MlaDecodeCost | null = null;

  constructor(efficiency: GpuEfficiency, roofs: GpuRoofs) {
    this.#efficiency = efficiency.mla ?? borrowedMla(efficiency);
    this.#fallbackPrefill = efficiency.prefillAttention.bf16;
    this.#roofs = roofs;
  }

  prefill(dims: PrefillDims): MlaPrice {
    const cost = this.#prefillOf(dims);
    cost.reset();
    for (const { newTokens, contextTokens } of dims.chunks) cost.add(newTokens, contextTokens);
    return { us: cost.us(), launchUs: cost.launchUs };
  }

  decode(dims: DecodeDims): MlaPrice {
    const { numRequests, sumContextTokens, maxContextTokens } = dims;
    const us = this.#decodeOf(dims).us(numRequests, sumContextTokens, maxContextTokens);
    return { us, launchUs: this.#decodeFit(dims).launchUs };
  }

  lookUpPrefill(dims: PrefillDims): KernelLookup {
    if (this.#efficiency.prefill === null) return FORMULA;
    const cost = this.#prefillOf(dims);
    return dataLookup(
      dims.chunks.reduce(
        (most, { newTokens, contextTokens }) => Math.max(most, cost.lnDistance(newTokens, contextTokens)),
        0,
      ),
    );
  }

  /** Judges the reading that set the price: that of all rows, or that of the longest alone. */
  lookUpDecode(dims: DecodeDims): KernelLookup {
    const { numRequests, sumContextTokens, maxContextTokens } = dims;
    if (numRequests === 0) return FORMULA;
    const cost = this.#decodeOf(dims);
    const isSetByLongest = cost.rowsUs(1, maxContextTokens) > cost.rowsUs(numRequests, sumContextTokens);
    const lnDistance = isSetByLongest
      ? cost.lnDistance(1, maxContextTokens)
      : cost.lnDistance(numRequests, sumContextTokens);
    return lnDistance === null ? FORMULA : dataLookup(lnDistance);
  }

  #decodeFit({ kvDtype }: DecodeDims): MlaDecodeEfficiency {
    const { bf16, fp8 } = this.#efficiency.decode;
    if (kvDtype !== "fp8") return bf16;
    // A surface belongs to the bytes it was fitted with.
    return fp8 ?? { ...bf16, surface: null };
  }

  #decodeOf(dims: DecodeDims): MlaDecodeCost {
    const known = this.#decodeDims;
    if (this.#decodeCost !== null && known !== null && isSameDecode(known, dims)) return this.#decodeCost;
    const { numHeads, kvLoraRank, ropeHeadDim, kvDtype } = dims;
    const heads = { numHeads, kvLoraRank, ropeHeadDim, kvDtype };
    this.#decodeDims = { ...dims };
    this.#decodeCost = new MlaDecodeCost(this.#decodeFit(dims), this.#roofs, heads);
    return this.#decodeCost;
  }

  #prefillOf(dims: PrefillDims): PrefillAttentionCost {
    const known = this.#prefillDims;
    if (this.#prefillCost !== null && known !== null && isSamePrefill(known, dims)) return this.#prefillCost;
    const { numHeads, queryHeadDim, valueHeadDim } = dims;
    const heads = {
      numHeads,
      numKvHeads: numHeads,
      headDim: expandedHeadDim(queryHeadDim, valueHeadDim),
      kvDtype: "bf16",
      slidingWindow: 0,
    } as const;
    this.#prefillDims = { ...dims };
    this.#prefillCost = new PrefillAttentionCost(this.#efficiency.prefill ?? this.#fallbackPrefill, this.#roofs, heads);
    return this.#prefillCost;
  }
}

/** The head size at which keys and values of equal size make the same FLOPs and bytes. */
export function expandedHeadDim(queryHeadDim: number, valueHeadDim: number): number {
  return (queryHeadDim + valueHeadDim) / 2;
}

function isSamePrefill(a: PrefillDims, b: PrefillDims): boolean {
  return a.numHeads === b.numHeads && a.queryHeadDim === b.queryHeadDim && a.valueHeadDim === b.valueHeadDim;
}

function isSameDecode(a: DecodeDims, b: DecodeDims): boolean {
  return (
    a.numHeads === b.numHeads &&
    a.kvLoraRank === b.kvLoraRank &&
    a.ropeHeadDim === b.ropeHeadDim &&
    a.kvDtype === b.kvDtype
  );
}

/** What efficiencies without latent attention say of it: launch, waves and bandwidth of attention, arithmetic of products. */
function borrowedMla({ gemm, decodeAttention: { bf16 } }: GpuEfficiency): MlaEfficiency {
  const { launchUs, waveUs, rampUs, memoryEfficiency } = bf16;
  const { computeEfficiency } = gemm.bf16;
  const unknown = { queryHeadPs: 0, rowTokenPs: 0, surface: null };
  const decode = { launchUs, waveUs, rampUs, memoryEfficiency, computeEfficiency, ...unknown };
  return { decode: { bf16: decode, fp8: null }, prefill: null };
}
