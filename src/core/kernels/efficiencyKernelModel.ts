import type { GpuSpec } from "../hardware/gpuSpec.js";
import { type Operator, type OperatorDims, operatorBytes } from "../model/operator.js";
import type { KvDtype, WeightDtype } from "../units/dtype.js";
import { collectiveFloorUs, collectiveLookup, collectiveUs } from "./collectiveKernel.js";
import {
  compileDecodeSurfaces,
  DecodeAttentionCost,
  type DecodeAttentionHeads,
  type DecodeAttentionSurfaces,
  decodeAttentionLnDistance,
} from "./decodeAttentionKernel.js";
import { CompiledSurface } from "./efficiencySurface.js";
import { batchedGemmUs, gemmUs, peakFlopsPerUs } from "./gemmKernel.js";
import type { DecodeAttentionEfficiency, GpuEfficiency, RoofEfficiency } from "./gpuEfficiency.js";
import { type GpuRoofs, gpuRoofs } from "./gpuRoofs.js";
import { groupedGemmLnDistance, groupedGemmUs, touchedExperts } from "./groupedGemmKernel.js";
import { dataLookup, FORMULA, type KernelLookup } from "./kernelLookup.js";
import type { KernelModel, KernelPrice } from "./kernelModel.js";
import { MlaKernels } from "./mlaKernels.js";
import { PrefillAttentionCost, type PrefillAttentionHeads } from "./prefillAttentionKernel.js";

const PS_PER_US = 1e6;

/**
 * How much slower compute-bound matrix products run inside a model than in the benchmarks the efficiencies were fitted
 * to: under sustained load the clocks fall. `eval/prefill` prints the fit on server-side times of 23 isolated prefills
 * (CodeLlama-34b on H100: 13 %); an older independent table agrees for compute-bound products (`eval/kernels/crossCheck`: 17 % on
 * H100, 12 % on A100). Memory-bound products are not affected. Other GPUs: assumed alike.
 */
export const SUSTAINED_COMPUTE_SLOWDOWN = 0.13;

type Dims<C extends OperatorDims["category"]> = Extract<OperatorDims, { category: C }>;

/** A roof kernel's constants with its surface compiled. */
interface CompiledRoof {
  readonly fit: RoofEfficiency;
  readonly surface: CompiledSurface | null;
}

interface CompiledDecode {
  readonly fit: DecodeAttentionEfficiency;
  readonly surfaces: DecodeAttentionSurfaces | null;
}

/**
 * Prices operators by a GPU's fitted efficiencies.
 *
 * A dtype without its own fit (fp8 on a GPU without fp8 data, fp16 everywhere) is priced by bf16's constants with
 * its own bytes. int4 means weight-only kernels: dense ones have no data anywhere and take bf16's constants with a
 * conservative bandwidth (see `GpuEfficiency.gemm.int4`).
 *
 * @param source what to call the prices: `modelled` for the GPU the fit was made on, `transferred` for another
 */
export function createEfficiencyKernelModel(
  gpu: GpuSpec,
  efficiency: GpuEfficiency,
  source: "modelled" | "transferred",
): KernelModel {
  return new EfficiencyKernelModel(gpuRoofs(gpu), efficiency, source);
}

class EfficiencyKernelModel implements KernelModel {
  readonly #roofs: GpuRoofs;
  readonly #efficiency: GpuEfficiency;
  readonly #source: "modelled" | "transferred";
  readonly #gemm: Record<"bf16" | "fp8" | "int4", CompiledRoof>;
  readonly #groupedGemm: Record<"bf16" | "fp8" | "int4", CompiledRoof>;
  readonly #decode: Record<"bf16" | "fp8", CompiledDecode>;
  readonly #decodeCosts: { readonly heads: DecodeAttentionHeads; readonly cost: DecodeAttentionCost }[] = [];
  readonly #mla: MlaKernels;
  readonly #prefill: { readonly heads: PrefillAttentionHeads; readonly cost: PrefillAttentionCost }[] = [];

  constructor(roofs: GpuRoofs, efficiency: GpuEfficiency, source: "modelled" | "transferred") {
    this.#roofs = roofs;
    this.#efficiency = efficiency;
    this.#source = source;
    this.#gemm = compileRoofs(efficiency.gemm);
    this.#groupedGemm = compileRoofs(efficiency.groupedGemm);
    const { bf16, fp8 } = efficiency.decodeAttention;
    const compile = (fit: DecodeAttentionEfficiency) => ({ fit, surfaces: compileDecodeSurfaces(fit) });
    this.#mla = new MlaKernels(efficiency, roofs);
    this.#decode = { bf16: compile(bf16), fp8: fp8 ? compile(fp8) : { fit: bf16, surfaces: null } };
  }

  price(operator: Operator): KernelPrice {
    const { dims } = operator;
    switch (dims.category) {
      case "gemm":
        return this.#priceGemm(operator, dims);
      case "grouped-gemm":
        return this.#priceGroupedGemm(operator, dims);
      case "attention-prefill":
        return this.#pricePrefill(operator, dims);
      case "attention-decode":
        return this.#priceDecode(operator, dims);
      case "mla-prefill":
      case "mla-decode": {
        const { us, launchUs } = dims.category === "mla-prefill" ? this.#mla.prefill(dims) : this.#mla.decode(dims);
        return this.#finish(operator, us, launchUs, this.#roofs.bf16FlopsPerUs);
      }
      case "batched-gemm": {
        const us = batchedGemmUs(this.#gemm.bf16.fit, this.#roofs, dims);
        return this.#finishProduct(operator, us, this.#gemm.bf16.fit.launchUs, this.#roofs.bf16FlopsPerUs);
      }
      case "collective":
        return this.#priceCollective(dims);
      case "sample":
        return this.#priceSample(operator, dims);
      case "norm":
      case "rope":
      case "activation":
      case "elementwise": {
        const { launchUs, memoryEfficiency } = this.#efficiency.elementwise;
        const us = operatorBytes(operator) / (this.#roofs.bytesPerUs * memoryEfficiency);
        return this.#finish(operator, Math.max(launchUs, us), launchUs, this.#roofs.bf16FlopsPerUs);
      }
    }
  }

  us(operator: Operator): number {
    const { dims } = operator;
    if (dims.category !== "attention-decode") return this.price(operator).us;
    return Math.max(this.#decodeUs(dims), this.#roofUs(operator, this.#roofs.bf16FlopsPerUs));
  }

  /** Distances are to the knots of the fit, which lie at or inside the ends of the measurements it was made from. */
  lookup({ dims }: Operator): KernelLookup {
    switch (dims.category) {
      case "gemm": {
        const { surface } = this.#gemm[weightKind(dims.weightDtype)];
        return surface === null ? FORMULA : dataLookup(surface.lnDistance(dims.m, dims.n, dims.k));
      }
      case "grouped-gemm": {
        const { surface } = this.#groupedGemm[weightKind(dims.weightDtype)];
        return surface === null ? FORMULA : dataLookup(groupedGemmLnDistance(surface, dims));
      }
      case "attention-prefill":
        return this.#lookUpPrefill(dims);
      case "attention-decode":
        return this.#lookUpDecode(dims);
      case "mla-prefill":
        return this.#mla.lookUpPrefill(dims);
      case "mla-decode":
        return this.#mla.lookUpDecode(dims);
      case "collective":
        return collectiveLookup(this.#efficiency.allReduce, dims.collective, dims.numRanks, dims.messageBytes);
      default:
        return FORMULA;
    }
  }

  #priceGemm(operator: Operator, { m, k, n, weightDtype }: Dims<"gemm">): KernelPrice {
    const { fit, surface } = this.#gemm[weightKind(weightDtype)];
    const us = gemmUs(fit, surface, this.#roofs, m, k, n, weightDtype);
    return this.#finishProduct(operator, us, fit.launchUs, peakFlopsPerUs(this.#roofs, weightDtype));
  }

  #priceGroupedGemm(operator: Operator, dims: Dims<"grouped-gemm">): KernelPrice {
    const { fit, surface } = this.#groupedGemm[weightKind(dims.weightDtype)];
    const us = groupedGemmUs(fit, surface, this.#roofs, dims, touchedExperts(dims), dims.weightDtype);
    return this.#finishProduct(operator, us, fit.launchUs, peakFlopsPerUs(this.#roofs, dims.weightDtype));
  }

  #pricePrefill(operator: Operator, dims: Dims<"attention-prefill">): KernelPrice {
    const cost = this.#prefillCost(dims);
    cost.reset();
    for (const { newTokens, contextTokens } of dims.chunks) cost.add(newTokens, contextTokens);
    return this.#finish(operator, cost.us(), cost.launchUs, this.#roofs.bf16FlopsPerUs);
  }

  /** A dtype that borrows bf16's constants has no data of its own. */
  #lookUpPrefill(dims: Dims<"attention-prefill">): KernelLookup {
    if (kvKind(dims.kvDtype) === "fp8" && this.#efficiency.prefillAttention.fp8 === null) return FORMULA;
    const cost = this.#prefillCost(dims);
    const distances = dims.chunks.map(({ newTokens, contextTokens }) => cost.lnDistance(newTokens, contextTokens));
    return dataLookup(distances.reduce((most, distance) => Math.max(most, distance), 0));
  }

  #priceDecode(operator: Operator, dims: Dims<"attention-decode">): KernelPrice {
    const { fit } = this.#decode[kvKind(dims.kvDtype)];
    return this.#finish(operator, this.#decodeUs(dims), fit.launchUs, this.#roofs.bf16FlopsPerUs);
  }

  #decodeUs(dims: Dims<"attention-decode">): number {
    return this.#decodeCost(dims).us(dims.numRequests, dims.sumContextTokens, dims.maxContextTokens);
  }

  /** Judges the reading that set the price: that of all rows, or that of the longest alone. */
  #lookUpDecode(dims: Dims<"attention-decode">): KernelLookup {
    const { surfaces } = this.#decode[kvKind(dims.kvDtype)];
    const { numRequests, sumContextTokens, maxContextTokens } = dims;
    if (surfaces === null || numRequests === 0) return FORMULA;
    const cost = this.#decodeCost(dims);
    const isSetByLongest = cost.rowsUs(1, maxContextTokens) > cost.rowsUs(numRequests, sumContextTokens);
    const [rows, tokens] = isSetByLongest ? [1, maxContextTokens] : [numRequests, sumContextTokens];
    return dataLookup(decodeAttentionLnDistance(surfaces, dims, rows, tokens));
  }

  /** A model has one or two attention shapes, so a list is searched. */
  #decodeCost(heads: DecodeAttentionHeads): DecodeAttentionCost {
    for (const known of this.#decodeCosts) if (isSameDecodeHeads(known.heads, heads)) return known.cost;
    const { fit, surfaces } = this.#decode[kvKind(heads.kvDtype)];
    const { numHeads, numKvHeads, headDim, kvDtype } = heads;
    const key = { numHeads, numKvHeads, headDim, kvDtype };
    const cost = new DecodeAttentionCost(fit, surfaces, this.#roofs, key);
    this.#decodeCosts.push({ heads: key, cost });
    return cost;
  }

  #priceCollective({ collective, numRanks, messageBytes }: Dims<"collective">): KernelPrice {
    const groups = this.#efficiency.allReduce;
    const us = collectiveUs(groups, this.#roofs, collective, numRanks, messageBytes);
    const launchUs = collectiveUs(groups, this.#roofs, collective, numRanks, Math.min(1, messageBytes));
    const wireUs = numRanks > 1 ? collectiveFloorUs(this.#roofs, numRanks, messageBytes) : 0;
    const boundBy = launchUs >= wireUs ? "launch" : "network";
    return { us, launchUs, boundBy, efficiency: us > 0 ? wireUs / us || Number.EPSILON : 1, source: this.#source };
  }

  #priceSample(operator: Operator, { numRows, vocabSize, sortsLogits }: Dims<"sample">): KernelPrice {
    if (numRows === 0) return this.#finish(operator, 0, 0, this.#roofs.bf16FlopsPerUs);
    const { launchUs, memoryEfficiency, sortLaunchUs, sortPsPerLogit } = this.#efficiency.sampler;
    const passUs = operatorBytes(operator) / (this.#roofs.bytesPerUs * memoryEfficiency);
    const sortUs = sortsLogits ? sortLaunchUs + (sortPsPerLogit * numRows * vocabSize) / PS_PER_US : 0;
    const fixedUs = launchUs + (sortsLogits ? sortLaunchUs : 0);
    return this.#finish(operator, launchUs + passUs + sortUs, fixedUs, this.#roofs.bf16FlopsPerUs);
  }

  /** `#finish` of a matrix product: slower the more compute binds it. */
  #finishProduct(operator: Operator, us: number, launchUs: number, peakFlops: number): KernelPrice {
    const slowdown = SUSTAINED_COMPUTE_SLOWDOWN * computeShare(operator, this.#roofs.bytesPerUs, peakFlops);
    return this.#finish(operator, us * (1 + slowdown), launchUs, peakFlops);
  }

  #roofUs(operator: Operator, peakFlops: number): number {
    return Math.max(operator.flops / peakFlops, operatorBytes(operator) / this.#roofs.bytesPerUs);
  }

  /** Clamps to the operator's own physical floor and says what binds. */
  #finish(operator: Operator, us: number, launchUs: number, peakFlops: number): KernelPrice {
    const computeUs = operator.flops / peakFlops;
    const memoryUs = operatorBytes(operator) / this.#roofs.bytesPerUs;
    const roofUs = this.#roofUs(operator, peakFlops);
    const clampedUs = Math.max(us, roofUs);
    const boundBy = launchUs > roofUs ? "launch" : computeUs > memoryUs ? "compute" : "memory";
    const efficiency = clampedUs > 0 ? Math.max(roofUs / clampedUs, Number.EPSILON) : 1;
    return { us: clampedUs, launchUs: Math.min(launchUs, clampedUs), boundBy, efficiency, source: this.#source };
  }

  /** A model has one or two attention shapes (full and windowed), so a list is searched. */
  #prefillCost(heads: PrefillAttentionHeads): PrefillAttentionCost {
    for (const known of this.#prefill) if (isSameHeads(known.heads, heads)) return known.cost;
    const { bf16, fp8 } = this.#efficiency.prefillAttention;
    const { numHeads, numKvHeads, headDim, kvDtype, slidingWindow } = heads;
    const key = { numHeads, numKvHeads, headDim, kvDtype, slidingWindow };
    const cost = new PrefillAttentionCost(kvKind(kvDtype) === "fp8" ? (fp8 ?? bf16) : bf16, this.#roofs, key);
    this.#prefill.push({ heads: key, cost });
    return cost;
  }
}

function compileRoofs(fits: GpuEfficiency["gemm"]): Record<"bf16" | "fp8" | "int4", CompiledRoof> {
  const compile = (fit: RoofEfficiency): CompiledRoof => ({
    fit,
    surface: fit.surface === null ? null : new CompiledSurface(fit.surface),
  });
  // A surface belongs to the bytes it was fitted with: another dtype gets the bare constants.
  const bare = { fit: fits.bf16, surface: null };
  return {
    bf16: compile(fits.bf16),
    fp8: fits.fp8 ? compile(fits.fp8) : bare,
    int4: fits.int4 ? compile(fits.int4) : bare,
  };
}

/** Share of compute in the 2-norm of both roofs, 0–1: rises with the FLOPs per byte. */
function computeShare(operator: Operator, bytesPerUs: number, flopsPerUs: number): number {
  const computeUs = operator.flops / flopsPerUs;
  const memoryUs = operatorBytes(operator) / bytesPerUs;
  return (computeUs * computeUs) / (computeUs * computeUs + memoryUs * memoryUs);
}

function weightKind(dtype: WeightDtype): "bf16" | "fp8" | "int4" {
  return dtype === "fp16" ? "bf16" : dtype;
}

function kvKind(dtype: KvDtype): "bf16" | "fp8" {
  return dtype === "fp8" ? "fp8" : "bf16";
}

function isSameHeads(a: PrefillAttentionHeads, b: PrefillAttentionHeads): boolean {
  return isSameDecodeHeads(a, b) && a.slidingWindow === b.slidingWindow;
}

function isSameDecodeHeads(a: DecodeAttentionHeads, b: DecodeAttentionHeads): boolean {
  return (
    a.numHeads === b.numHeads && a.numKvHeads === b.numKvHeads && a.headDim === b.headDim && a.kvDtype === b.kvDtype
  );
}
