import { kvHeadBytesPerToken } from "../model/kvCacheSize.js";
import type { KvDtype } from "../units/dtype.js";
import { CompiledSurface, type SurfaceSlice } from "./efficiencySurface.js";
import type { DecodeAttentionEfficiency } from "./gpuEfficiency.js";
import type { GpuRoofs } from "./gpuRoofs.js";

/** Head size the fits were made at; other sizes are read at as many KV bytes. */
export const REFERENCE_HEAD_DIM = 128;

/** The constants of decode attention; what a fit searches. */
export type DecodeAttentionConstants = Pick<
  DecodeAttentionEfficiency,
  "launchUs" | "waveUs" | "rampUs" | "memoryEfficiency"
>;

/** KV bytes of `tokens` tokens: keys and values. */
export function kvBytes(tokens: number, numKvHeads: number, headDim: number, dtype: KvDtype): number {
  return tokens * numKvHeads * kvHeadBytesPerToken(headDim, dtype);
}

/**
 * µs of decode attention before shape corrections: launch plus the 2-norm of the work distribution
 * (requests × KV heads over the SMs) and the KV stream. Query heads hardly matter, so they do not enter.
 */
export function decodeAttentionBaseUs(
  fit: DecodeAttentionConstants,
  roofs: GpuRoofs,
  numKvRows: number,
  kvReadBytes: number,
): number {
  const waveUs = (fit.waveUs * numKvRows) / roofs.numSms;
  const streamUs = kvReadBytes / (roofs.bytesPerUs * fit.memoryEfficiency);
  // Saturating: short streams run at half the bandwidth, long ones only lose rampUs.
  const memoryUs = streamUs + (fit.rampUs * streamUs) / (fit.rampUs + streamUs + Number.MIN_VALUE);
  return fit.launchUs + Math.sqrt(waveUs * waveUs + memoryUs * memoryUs);
}

/** Shape corrections of decode attention, ready for evaluation. */
export interface DecodeAttentionSurfaces {
  /** Over (requests × KV heads, mean context, query heads per KV head). */
  readonly byGroup: CompiledSurface;
  /** Over (requests × KV heads, mean context, KV heads). */
  readonly byKvHeads: CompiledSurface;
}

export function compileDecodeSurfaces(fit: DecodeAttentionEfficiency): DecodeAttentionSurfaces | null {
  if (fit.groupSurface === null || fit.kvHeadSurface === null) return null;
  return { byGroup: new CompiledSurface(fit.groupSurface), byKvHeads: new CompiledSurface(fit.kvHeadSurface) };
}

/**
 * Largest |ln| by which decode rows lie beyond the knots; 0 inside. Query heads per KV head do not count: their last
 * knot stands for any number of them.
 * @param sumContextTokens Σ KV tokens read by `numRequests` ≥ 1 rows, sliding window applied
 */
export function decodeAttentionLnDistance(
  { byKvHeads }: DecodeAttentionSurfaces,
  { numKvHeads, headDim }: { readonly numKvHeads: number; readonly headDim: number },
  numRequests: number,
  sumContextTokens: number,
): number {
  return byKvHeads.lnDistance(
    numRequests * numKvHeads,
    meanReferenceContext(numRequests, sumContextTokens, headDim),
    numKvHeads,
  );
}

/** Mean context of the rows, as tokens of the head size the fits were made at. */
function meanReferenceContext(numRequests: number, sumContextTokens: number, headDim: number): number {
  return (sumContextTokens / numRequests) * (headDim / REFERENCE_HEAD_DIM);
}

/** Heads of one decode attention operator on one GPU. */
export interface DecodeAttentionHeads {
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  readonly kvDtype: KvDtype;
}

/** Contexts are rounded up to so many tokens where an upper bound will do. */
const BOUND_TOKENS = 1024;
/** A longer row alone may cost a little less where a fitted surface dips: by less than this, in every fit. */
const BOUND_MARGIN = 1.05;

/**
 * Decode attention of one operator shape, priced every step; allocates nothing after construction.
 *
 * The price rises with the requests at equal mean context, and with the context. At equal SUM of contexts more
 * requests can be faster, as they are on the GPU: a few long rows leave SMs idle. `us` holds the price to that of the
 * longest row alone; what remains is that a short request beside a few very long ones can lower it a little, because
 * rows are known by number, sum and maximum only.
 */
export class DecodeAttentionCost {
  readonly #fit: DecodeAttentionConstants;
  readonly #roofs: GpuRoofs;
  readonly #heads: DecodeAttentionHeads;
  /** The shape corrections for these heads, over rows and mean context; null where no data gave any. */
  readonly #byGroup: SurfaceSlice | null;
  readonly #byKvHeads: SurfaceSlice | null;
  /** The number of rows last asked for: steps mostly repeat it. */
  #numRows = 0;
  #lnRows = 0;
  /** A context no shorter than the last longest row's, and its price alone. */
  #boundTokens = 0;
  #boundUs = 0;

  constructor(
    fit: DecodeAttentionConstants,
    surfaces: DecodeAttentionSurfaces | null,
    roofs: GpuRoofs,
    heads: DecodeAttentionHeads,
  ) {
    this.#fit = fit;
    this.#roofs = roofs;
    this.#heads = heads;
    this.#byGroup = surfaces?.byGroup.at(Math.log(heads.numHeads / heads.numKvHeads)) ?? null;
    this.#byKvHeads = surfaces?.byKvHeads.at(Math.log(heads.numKvHeads)) ?? null;
  }

  /**
   * µs of one launch, KV write included.
   * @param sumContextTokens Σ KV tokens read by the requests, sliding window applied
   * @param maxContextTokens by one of them at most
   */
  us(numRequests: number, sumContextTokens: number, maxContextTokens: number): number {
    const allUs = this.rowsUs(numRequests, sumContextTokens);
    if (numRequests <= 1) return allUs;
    // A row alone costs more the longer it is, but for the margin: one price bounds those of all shorter rows.
    const boundTokens = Math.ceil(maxContextTokens / BOUND_TOKENS) * BOUND_TOKENS;
    if (boundTokens !== this.#boundTokens) {
      this.#boundTokens = boundTokens;
      this.#boundUs = BOUND_MARGIN * this.rowsUs(1, boundTokens);
    }
    return this.#boundUs <= allUs ? allUs : Math.max(allUs, this.rowsUs(1, maxContextTokens));
  }

  /** µs of rows of equal context. */
  rowsUs(numRequests: number, sumContextTokens: number): number {
    if (numRequests === 0) return 0;
    const { numKvHeads, headDim, kvDtype } = this.#heads;
    const roofs = this.#roofs;
    const numKvRows = numRequests * numKvHeads;
    const readBytes = kvBytes(sumContextTokens, numKvHeads, headDim, kvDtype);
    const baseUs = decodeAttentionBaseUs(this.#fit, roofs, numKvRows, readBytes);
    const byGroup = this.#byGroup;
    const byKvHeads = this.#byKvHeads;
    if (byGroup === null || byKvHeads === null) return Math.max(baseUs, readBytes / roofs.bytesPerUs);
    if (numKvRows !== this.#numRows) {
      this.#numRows = numKvRows;
      this.#lnRows = Math.log(numKvRows);
    }
    const lnContext = Math.log(meanReferenceContext(numRequests, sumContextTokens, headDim));
    const lnFactor = byGroup.lnFactor(this.#lnRows, lnContext) + byKvHeads.lnFactor(this.#lnRows, lnContext);
    return Math.max(baseUs * Math.exp(lnFactor), readBytes / roofs.bytesPerUs);
  }
}
