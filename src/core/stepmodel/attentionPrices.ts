import type { ScheduledBatch } from "../batch/scheduledBatch.js";
import type { KernelModel } from "../kernels/kernelModel.js";
import {
  type AttentionLayer,
  attentionLayers,
  DecodeAttentionOperator,
  PrefillAttentionOperator,
} from "../model/attentionOperators.js";
import { decodeKvTokens } from "../model/attentionSpan.js";
import { usAfterLaunch } from "./operatorPrices.js";
import type { StepPlan } from "./stepPlan.js";

/** The two operators of one kind of layer, with where they stand among the components. */
interface LayerAttention {
  readonly slidingWindow: number;
  readonly prefill: PrefillAttentionOperator;
  readonly prefillSlot: number;
  readonly decode: DecodeAttentionOperator;
  readonly decodeSlot: number;
}

/** Prices the attention of every step: what `OperatorPrices.attention` lists, to the last bit, and no list. */
export class AttentionPrices {
  readonly #kernelModel: KernelModel;
  readonly #layers: readonly LayerAttention[];
  /** The step's prefill chunks, out of `#spareChunks`. */
  readonly #chunks: { newTokens: number; contextTokens: number }[] = [];
  readonly #spareChunks: { newTokens: number; contextTokens: number }[] = [];
  readonly #totals = { numRequests: 0, sumContextTokens: 0, maxContextTokens: 0 };

  constructor({ architecture, parallelism, dtypes, kernelModel }: StepPlan, slotOf: ReadonlyMap<string, number>) {
    this.#kernelModel = kernelModel;
    this.#layers = attentionLayers(architecture, parallelism, dtypes.kvDtype).map((layer) => layerOf(layer, slotOf));
  }

  /** Adds the µs of each operator to its component. @returns `beforeUs` and all of them */
  addUs(batch: ScheduledBatch, componentsUs: Float64Array, beforeUs: number): number {
    let totalUs = beforeUs;
    this.#takeChunks(batch);
    for (let i = 0; i < this.#layers.length; i++) {
      const { slidingWindow, prefill, prefillSlot, decode, decodeSlot } = this.#layers[i]!;
      let paidLaunchUs = 0;
      if (this.#chunks.length > 0) {
        const price = this.#kernelModel.price(prefill.with(this.#chunks));
        paidLaunchUs = price.launchUs;
        const us = price.us * prefill.count;
        componentsUs[prefillSlot]! += us;
        totalUs += us;
      }
      this.#sumDecodes(batch, slidingWindow);
      if (this.#totals.numRequests === 0) continue;
      const us = this.#decodeUs(decode.with(this.#totals), paidLaunchUs) * decode.count;
      componentsUs[decodeSlot]! += us;
      totalUs += us;
    }
    return totalUs;
  }

  /** @param paidLaunchUs launch that the layer's prefill attention has paid, which both share; 0 = there is none */
  #decodeUs(decode: DecodeAttentionOperator, paidLaunchUs: number): number {
    if (this.#chunks.length > 0) return usAfterLaunch(this.#kernelModel.price(decode), paidLaunchUs);
    return this.#kernelModel.us?.(decode) ?? this.#kernelModel.price(decode).us;
  }

  #takeChunks(batch: ScheduledBatch): void {
    const chunks = this.#chunks;
    let numChunks = 0;
    for (let row = 0; row < batch.numRows; row++) {
      if (isDecodeRow(batch, row)) continue;
      if (numChunks === this.#spareChunks.length) this.#spareChunks.push({ newTokens: 0, contextTokens: 0 });
      const chunk = this.#spareChunks[numChunks]!;
      chunk.newTokens = batch.numNewTokens[row]!;
      chunk.contextTokens = batch.numContextTokens[row]!;
      chunks[numChunks++] = chunk;
    }
    // Setting a length costs a call even where it changes nothing.
    if (chunks.length !== numChunks) chunks.length = numChunks;
  }

  /** Those in lockstep have no window to be cut off by (`StepModel.pricesLockstep`). */
  #sumDecodes(batch: ScheduledBatch, slidingWindow: number): void {
    const totals = this.#totals;
    totals.numRequests = batch.numLockstep;
    totals.sumContextTokens = batch.sumLockstepContextTokens;
    totals.maxContextTokens = batch.maxLockstepContextTokens;
    for (let row = 0; row < batch.numRows; row++) {
      if (!isDecodeRow(batch, row)) continue;
      const kvTokens = decodeKvTokens(batch.numContextTokens[row]! + 1, slidingWindow);
      totals.numRequests++;
      totals.sumContextTokens += kvTokens;
      if (kvTokens > totals.maxContextTokens) totals.maxContextTokens = kvTokens;
    }
  }
}

/** A row of several tokens is a chunk, even where they are drafts to verify. */
function isDecodeRow(batch: ScheduledBatch, row: number): boolean {
  return batch.isDecode[row] === 1 && batch.numNewTokens[row] === 1;
}

function layerOf(layer: AttentionLayer, slotOf: ReadonlyMap<string, number>): LayerAttention {
  const prefill = new PrefillAttentionOperator(layer);
  const decode = new DecodeAttentionOperator(layer);
  return {
    slidingWindow: layer.attention.slidingWindow,
    prefill,
    prefillSlot: slotOf.get(prefill.name)!,
    decode,
    decodeSlot: slotOf.get(decode.name)!,
  };
}
