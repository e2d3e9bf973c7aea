import type { ScheduledBatch } from "../batch/scheduledBatch.js";
import type { KernelModel } from "../kernels/kernelModel.js";
import { type MlaAttentionLayer, MlaRowOperators } from "../model/mlaOperators.js";
import type { Operator } from "../model/operator.js";
import { AttentionBatch } from "./attentionBatch.js";

/** `AttentionPrices` of latent attention: prefill and decode run in kernels of their own, so that none shares a launch. */
export class MlaAttentionPrices {
  readonly #kernelModel: KernelModel;
  readonly #layers: readonly MlaRowOperators[];
  readonly #slotOf: ReadonlyMap<string, number>;
  readonly #rows = new AttentionBatch();

  constructor(kernelModel: KernelModel, layers: readonly MlaAttentionLayer[], slotOf: ReadonlyMap<string, number>) {
    this.#kernelModel = kernelModel;
    this.#layers = layers.map((layer) => new MlaRowOperators(layer));
    this.#slotOf = slotOf;
  }

  addUs(batch: ScheduledBatch, componentsUs: Float64Array, beforeUs: number): number {
    const { chunks, totals } = this.#rows;
    this.#rows.takeChunks(batch);
    this.#rows.sumDecodes(batch, 0);
    let totalUs = beforeUs;
    for (const layer of this.#layers) {
      if (chunks.length > 0) totalUs = this.#add(layer.prefill(chunks), componentsUs, totalUs);
      if (totals.numRequests > 0) totalUs = this.#add(layer.decode(totals), componentsUs, totalUs);
    }
    return totalUs;
  }

  #add(operators: readonly Operator[], componentsUs: Float64Array, beforeUs: number): number {
    let totalUs = beforeUs;
    for (let i = 0; i < operators.length; i++) {
      const operator = operators[i]!;
      const us = this.#kernelModel.price(operator).us * operator.count;
      componentsUs[this.#slotOf.get(operator.name)!]! += us;
      totalUs += us;
    }
    return totalUs;
  }
}
