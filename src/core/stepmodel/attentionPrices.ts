import type { ScheduledBatch } from "../batch/scheduledBatch.js";
import type { KernelModel } from "../kernels/kernelModel.js";
import {
  attentionLayers,
  DecodeAttentionOperator,
  type GqaAttentionLayer,
  PrefillAttentionOperator,
} from "../model/attentionOperators.js";
import { AttentionBatch } from "./attentionBatch.js";
import { MlaAttentionPrices } from "./mlaAttentionPrices.js";
import { usAfterLaunch } from "./operatorPrices.js";
import type { StepPlan } from "./stepPlan.js";

/** Prices the attention of every step: what `OperatorPrices.attention` lists, to the last bit, and no list. */
export interface AttentionPrices {
  /** Adds the µs of each operator to its component. @returns `beforeUs` and all of them */
  addUs(batch: ScheduledBatch, componentsUs: Float64Array, beforeUs: number): number;
}

/** @param slotOf where each operator stands among the components; no model mixes both kinds of attention */
export function attentionPrices(plan: StepPlan, slotOf: ReadonlyMap<string, number>): AttentionPrices {
  const layers = attentionLayers(plan.architecture, plan.parallelism, plan.dtypes);
  const latent = layers.filter((layer) => layer.kind === "mla");
  if (latent.length > 0) return new MlaAttentionPrices(plan.kernelModel, latent, slotOf);
  return new GqaAttentionPrices(
    plan.kernelModel,
    layers.filter((layer) => layer.kind === "gqa"),
    slotOf,
  );
}

/** The two operators of one kind of layer, with where they stand among the components. */
interface LayerAttention {
  readonly slidingWindow: number;
  readonly prefill: PrefillAttentionOperator;
  readonly prefillSlot: number;
  readonly decode: DecodeAttentionOperator;
  readonly decodeSlot: number;
}

class GqaAttentionPrices implements AttentionPrices {
  readonly #kernelModel: KernelModel;
  readonly #layers: readonly LayerAttention[];
  readonly #rows = new AttentionBatch();

  constructor(kernelModel: KernelModel, layers: readonly GqaAttentionLayer[], slotOf: ReadonlyMap<string, number>) {
    this.#kernelModel = kernelModel;
    this.#layers = layers.map((layer) => layerOf(layer, slotOf));
  }

  addUs(batch: ScheduledBatch, componentsUs: Float64Array, beforeUs: number): number {
    let totalUs = beforeUs;
    const { chunks, totals } = this.#rows;
    this.#rows.takeChunks(batch);
    for (let i = 0; i < this.#layers.length; i++) {
      const { slidingWindow, prefill, prefillSlot, decode, decodeSlot } = this.#layers[i]!;
      let paidLaunchUs = 0;
      if (chunks.length > 0) {
        const price = this.#kernelModel.price(prefill.with(chunks));
        paidLaunchUs = price.launchUs;
        const us = price.us * prefill.count;
        componentsUs[prefillSlot]! += us;
        totalUs += us;
      }
      this.#rows.sumDecodes(batch, slidingWindow);
      if (totals.numRequests === 0) continue;
      const us = this.#decodeUs(decode.with(totals), paidLaunchUs) * decode.count;
      componentsUs[decodeSlot]! += us;
      totalUs += us;
    }
    return totalUs;
  }

  /** @param paidLaunchUs launch that the layer's prefill attention has paid, which both share; 0 = there is none */
  #decodeUs(decode: DecodeAttentionOperator, paidLaunchUs: number): number {
    if (this.#rows.chunks.length > 0) return usAfterLaunch(this.#kernelModel.price(decode), paidLaunchUs);
    return this.#kernelModel.us?.(decode) ?? this.#kernelModel.price(decode).us;
  }
}

function layerOf(layer: GqaAttentionLayer, slotOf: ReadonlyMap<string, number>): LayerAttention {
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
