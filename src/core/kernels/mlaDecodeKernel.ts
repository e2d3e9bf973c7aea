import { kvBytesPerTokenOfLayer } from "../model/kvCacheSize.js";
import { mlaDecodeFlops } from "../model/mlaOperators.js";
import type { KvDtype } from "../units/dtype.js";
import { CompiledSurface } from "./efficiencySurface.js";
import type { MlaDecodeEfficiency } from "./gpuEfficiency.js";
import type { GpuRoofs } from "./gpuRoofs.js";

/** The constants of attention over latents; what a fit searches. */
export type MlaDecodeConstants = Omit<MlaDecodeEfficiency, "surface">;

/** Latents the fits were made at; others are read at as many KV bytes. */
export const REFERENCE_LATENT = { kvLoraRank: 512, ropeHeadDim: 64 } as const;

const PS_PER_US = 1e6;

/** Heads and latents of one operator on one GPU. */
export interface MlaDecodeHeads {
  readonly numHeads: number;
  readonly kvLoraRank: number;
  readonly ropeHeadDim: number;
  readonly kvDtype: KvDtype;
}

/** KV bytes of `tokens` tokens in one layer. */
export function latentBytes(tokens: number, { kvLoraRank, ropeHeadDim, kvDtype }: MlaDecodeHeads): number {
  return tokens * kvBytesPerTokenOfLayer({ kind: "mla", kvLoraRank, ropeHeadDim }, 1, kvDtype);
}

/**
 * µs of attention over latents before shape corrections: launch, waves of requests over the SMs, queries and outputs, and
 * the longest of streaming latents, multiplying them, and going through one request's, which few blocks share. Many heads
 * share each latent, so that either roof can bind.
 */
export function mlaDecodeBaseUs(
  fit: MlaDecodeConstants,
  roofs: GpuRoofs,
  heads: MlaDecodeHeads,
  numRequests: number,
  sumContextTokens: number,
): number {
  const streamUs = latentBytes(sumContextTokens, heads) / (roofs.bytesPerUs * fit.memoryEfficiency);
  // Saturating: short streams run at half the bandwidth, long ones only lose rampUs.
  const memoryUs = streamUs + (fit.rampUs * streamUs) / (fit.rampUs + streamUs + Number.MIN_VALUE);
  const computeUs = mlaDecodeFlops(heads, sumContextTokens) / (roofs.bf16FlopsPerUs * fit.computeEfficiency);
  const rowsUs =
    (fit.waveUs * numRequests) / roofs.numSms + (fit.queryHeadPs * numRequests * heads.numHeads) / PS_PER_US;
  const rowUs = (fit.rowTokenPs * sumContextTokens) / numRequests / PS_PER_US;
  return fit.launchUs + rowsUs + Math.max(memoryUs, computeUs, rowUs);
}

/**
 * Attention over latents of one operator shape. The price rises with requests, context and heads; rows of different
 * context cost what as many of the mean would, but never less than the longest alone.
 */
export class MlaDecodeCost {
  readonly #fit: MlaDecodeConstants;
  readonly #surface: CompiledSurface | null;
  readonly #roofs: GpuRoofs;
  readonly #heads: MlaDecodeHeads;
  /** Tokens of the reference latent that one token stands for. */
  readonly #referenceTokens: number;

  constructor(fit: MlaDecodeEfficiency, roofs: GpuRoofs, heads: MlaDecodeHeads) {
    this.#fit = fit;
    this.#surface = fit.surface === null ? null : new CompiledSurface(fit.surface);
    this.#roofs = roofs;
    this.#heads = heads;
    this.#referenceTokens = latentBytes(1, heads) / latentBytes(1, { ...heads, ...REFERENCE_LATENT });
  }

  /**
   * µs of one launch, KV write included.
   * @param sumContextTokens Σ KV tokens read by `numRequests` rows
   * @param maxContextTokens by one of them at most
   */
  us(numRequests: number, sumContextTokens: number, maxContextTokens: number): number {
    const allUs = this.rowsUs(numRequests, sumContextTokens);
    return numRequests <= 1 ? allUs : Math.max(allUs, this.rowsUs(1, maxContextTokens));
  }

  /** µs of rows of equal context. */
  rowsUs(numRequests: number, sumContextTokens: number): number {
    if (numRequests === 0) return 0;
    const baseUs = mlaDecodeBaseUs(this.#fit, this.#roofs, this.#heads, numRequests, sumContextTokens);
    const floorUs = latentBytes(sumContextTokens, this.#heads) / this.#roofs.bytesPerUs;
    if (this.#surface === null) return Math.max(baseUs, floorUs);
    const context = (sumContextTokens / numRequests) * this.#referenceTokens;
    return Math.max(baseUs * this.#surface.factor(numRequests, context, this.#heads.numHeads), floorUs);
  }

  /** Largest |ln| by which the rows lie beyond the data; 0 inside, null without any. */
  lnDistance(numRequests: number, sumContextTokens: number): number | null {
    const context = (sumContextTokens / numRequests) * this.#referenceTokens;
    return this.#surface?.lnDistance(numRequests, context, this.#heads.numHeads) ?? null;
  }
}
