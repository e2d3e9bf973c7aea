import type { KvDtype } from "../units/dtype.js";
import { kvBytes, REFERENCE_HEAD_DIM } from "./decodeAttentionKernel.js";
import type { PrefillAttentionEfficiency } from "./gpuEfficiency.js";
import type { GpuRoofs } from "./gpuRoofs.js";
import { lnDistanceBeyond } from "./kernelLookup.js";

/** Query rows one thread block works on; sets how long the longest block runs. */
const TILE_ROWS = 128;
const PS_PER_US = 1e6;

/** Heads of one prefill attention operator on one GPU. */
export interface PrefillAttentionHeads {
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  readonly kvDtype: KvDtype;
  /** Tokens; 0 = full attention. */
  readonly slidingWindow: number;
}

/**
 * Sums the prefill chunks of a step and prices them as one launch:
 * launch + 2-norm(token work, rows and KV streaming) + tail of the longest tile.
 *
 * Token work is an integral over positions of a cost that never falls with the position, so cutting a prefill
 * into chunks leaves it unchanged, while launches, rows and KV re-reads can only add.
 * One instance per operator shape; `reset`, `add` per chunk, `us`. Allocates nothing after construction.
 */
export class PrefillAttentionCost {
  readonly #fit: PrefillAttentionEfficiency;
  readonly #roofs: GpuRoofs;
  readonly #heads: PrefillAttentionHeads;
  readonly #positions: Float64Array;
  readonly #headTokenPs: Float64Array;
  /** ∫ headTokenPs from 0 to each position. */
  readonly #cumulativePs: Float64Array;
  #numChunks = 0;
  #newTokens = 0;
  #tokenWorkPs = 0;
  #kvTokens = 0;
  #longestTileTokens = 0;

  constructor(fit: PrefillAttentionEfficiency, roofs: GpuRoofs, heads: PrefillAttentionHeads) {
    this.#fit = fit;
    this.#roofs = roofs;
    this.#heads = heads;
    this.#positions = Float64Array.from(fit.contextTokens);
    this.#headTokenPs = Float64Array.from(fit.headTokenPs);
    this.#cumulativePs = new Float64Array(this.#positions.length);
    this.#cumulativePs[0] = this.#positions[0]! * this.#headTokenPs[0]!;
    for (let i = 1; i < this.#positions.length; i += 1) {
      const width = this.#positions[i]! - this.#positions[i - 1]!;
      const meanPs = (this.#headTokenPs[i]! + this.#headTokenPs[i - 1]!) / 2;
      this.#cumulativePs[i] = this.#cumulativePs[i - 1]! + width * meanPs;
    }
  }

  reset(): void {
    this.#numChunks = 0;
    this.#newTokens = 0;
    this.#tokenWorkPs = 0;
    this.#kvTokens = 0;
    this.#longestTileTokens = 0;
  }

  /** Adds one request's chunk: `newTokens` ≥ 1 behind `contextTokens` ≥ 0 cached ones. */
  add(newTokens: number, contextTokens: number): void {
    const end = contextTokens + newTokens;
    const window = this.#heads.slidingWindow;
    const isWindowed = window > 0 && end > window;
    this.#numChunks += 1;
    this.#newTokens += newTokens;
    this.#tokenWorkPs += this.#workPsUpTo(end) - this.#workPsUpTo(contextTokens);
    this.#kvTokens += isWindowed ? Math.min(end, window + newTokens) : end;
    const tileTokens = (isWindowed ? window : end) * Math.min(1, newTokens / TILE_ROWS);
    if (tileTokens > this.#longestTileTokens) this.#longestTileTokens = tileTokens;
  }

  /**
   * |ln| by which the last position of a chunk lies beyond the data; 0 inside. Early positions never do: the first
   * entry of the fit is the mean cost from position 1 on.
   */
  lnDistance(newTokens: number, contextTokens: number): number {
    const window = this.#heads.slidingWindow;
    const end = contextTokens + newTokens;
    const last = this.#positions[this.#positions.length - 1]!;
    return lnDistanceBeyond(window > 0 ? Math.min(end, window) : end, 1, last);
  }

  /** µs at vanishing work; shared with the decode attention of the same step. */
  get launchUs(): number {
    return this.#fit.launchUs;
  }

  /** @returns µs of the chunks added so far, not yet held to the datasheet's roof; 0 if none */
  us(): number {
    if (this.#numChunks === 0) return 0;
    const { numHeads, numKvHeads, headDim, kvDtype } = this.#heads;
    const fit = this.#fit;
    const roofs = this.#roofs;
    const headScale = headDim / REFERENCE_HEAD_DIM / PS_PER_US;
    const workUs = headScale * (numHeads * this.#tokenWorkPs + numKvHeads * fit.kvHeadTokenPs * this.#newTokens);
    const streamUs =
      (fit.waveUs * this.#numChunks * numKvHeads) / roofs.numSms +
      kvBytes(this.#kvTokens, numKvHeads, headDim, kvDtype) / (roofs.bytesPerUs * fit.memoryEfficiency);
    const tileUs =
      (4 * TILE_ROWS * headDim * this.#longestTileTokens * roofs.numSms * fit.tileLatencyFraction) /
      roofs.bf16FlopsPerUs;
    return fit.launchUs + Math.sqrt(workUs * workUs + streamUs * streamUs) + tileUs;
  }

  /** ps per query head of computing positions 1 … `position`. */
  #workPsUpTo(position: number): number {
    const window = this.#heads.slidingWindow;
    if (window === 0 || position <= window) return this.#integralPs(position);
    return this.#integralPs(window) + (position - window) * this.#psAt(window);
  }

  #integralPs(position: number): number {
    const positions = this.#positions;
    if (position <= positions[0]!) return position * this.#headTokenPs[0]!;
    const last = positions.length - 1;
    if (position >= positions[last]!) {
      // Beyond the data the achieved FLOP/s stay: cost per token grows with the position.
      const slope = this.#headTokenPs[last]! / positions[last]!;
      return this.#cumulativePs[last]! + (slope / 2) * (position * position - positions[last]! * positions[last]!);
    }
    const i = this.#cell(position);
    const width = position - positions[i]!;
    return this.#cumulativePs[i]! + width * ((this.#headTokenPs[i]! + this.#psAt(position)) / 2);
  }

  #psAt(position: number): number {
    const positions = this.#positions;
    const last = positions.length - 1;
    if (position <= positions[0]!) return this.#headTokenPs[0]!;
    if (position >= positions[last]!) return (this.#headTokenPs[last]! * position) / positions[last]!;
    const i = this.#cell(position);
    const share = (position - positions[i]!) / (positions[i + 1]! - positions[i]!);
    return this.#headTokenPs[i]! + share * (this.#headTokenPs[i + 1]! - this.#headTokenPs[i]!);
  }

  #cell(position: number): number {
    let index = 0;
    while (position >= this.#positions[index + 1]!) index += 1;
    return index;
  }
}
