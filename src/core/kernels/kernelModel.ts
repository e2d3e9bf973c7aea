import type { Operator } from "../model/operator.js";
import type { KernelLookup } from "./kernelLookup.js";

/** Where a kernel's price came from. */
export type PriceSource = "measured" | "modelled" | "transferred";

/** The price of one run of an operator, with what is needed to question it. */
export interface KernelPrice {
  /** µs of one run on one GPU. */
  readonly us: number;
  /** The fixed part of `us`: what remains at vanishing work. Prefill and decode attention of a step share one. */
  readonly launchUs: number;
  /** What binds: `launch` when the fixed cost exceeds both roofs. */
  readonly boundBy: "compute" | "memory" | "launch" | "network";
  /** Fraction of the binding roof achieved, (0, 1]. */
  readonly efficiency: number;
  readonly source: PriceSource;
}

/**
 * Prices operators on one GPU. Pure and deterministic; never below
 * max(flops / peak FLOP/s, bytes / peak bandwidth); rises with every dim.
 */
export interface KernelModel {
  /** @returns µs of one run (not multiplied by `count`); 0 only for an operator without work */
  price(operator: Operator): KernelPrice;
  /** `price(operator).us` to the last bit, where it can be had for less: the hot path asks for nothing else. */
  us?(operator: Operator): number;
  /** How `price` found the price of this operator; for people to question, not for the hot path. */
  lookup(operator: Operator): KernelLookup;
}
