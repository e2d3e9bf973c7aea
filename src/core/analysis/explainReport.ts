import type { LookupKind } from "../kernels/kernelLookup.js";
import type { PriceSource } from "../kernels/kernelModel.js";
import type { CountBucket } from "../metrics/countBucket.js";
import type { Bound } from "./stepLog.js";
import type { TimeSlice } from "./timeSlices.js";

/** A part of the GPU's time; fractions of all parts of one list add up to 1. */
export interface TimeShare {
  readonly us: number;
  /** Of the GPU time of all steps. */
  readonly fraction: number;
}

/** A component over the whole run, and its time by what bound it. */
export interface ComponentTime extends TimeShare {
  readonly name: string;
  readonly category: string;
  /** Steps that had it. */
  readonly steps: number;
  readonly boundUs: Readonly<Partial<Record<Bound, number>>>;
}

/** Steps of one kind. */
export interface StepGroup extends TimeShare {
  readonly steps: number;
  readonly meanUs: number;
  readonly tokens: number;
}

export type StepPhase = "prefill-only" | "decode-only" | "mixed";

/** Prices found in one way; a component of a step is one price. */
export interface LookupShare extends TimeShare {
  readonly kind: LookupKind;
  readonly prices: number;
  /** Of all prices. */
  readonly priceFraction: number;
}

/** The `roofserve.explain/1` contract. */
export interface ExplainReport {
  readonly schema: "roofserve.explain/1";
  readonly model: string;
  readonly gpu: string;
  readonly tensorParallelSize: number;
  readonly stepModel: string;
  readonly steps: number;
  /** Time of all steps. */
  readonly gpuUs: number;
  /** From the first step's start to the last one's end. */
  readonly spanUs: number;
  /** `gpuUs` of `spanUs`; a step's time is rounded to µs on the clock, so it may exceed 1 by a hair. */
  readonly busyFraction: number;
  /** Largest first; those that no step had are left out. */
  readonly components: readonly ComponentTime[];
  /** Largest first. */
  readonly bounds: readonly (TimeShare & { readonly bound: Bound })[];
  readonly phases: readonly (StepGroup & { readonly phase: StepPhase })[];
  /** By the requests of a step, ascending. */
  readonly batchSizes: readonly (StepGroup & { readonly requests: CountBucket })[];
  readonly load: {
    /** Mean over GPU time, and peak. */
    readonly kvFraction: MeanAndPeak;
    readonly running: MeanAndPeak;
    readonly waiting: MeanAndPeak;
    readonly preemptions: number;
    readonly slices: readonly TimeSlice[];
  };
  /** Waits have no price: fractions are of the time that has one. */
  readonly lookups: readonly LookupShare[];
  readonly sources: readonly (TimeShare & { readonly source: PriceSource })[];
  /** The price farthest from its data; null when all were inside it. */
  readonly farthest: FarthestPrice | null;
}

export interface FarthestPrice {
  readonly component: string;
  /** Whether the distance is from the edge of the data, or from the row whose price it is. */
  readonly kind: Extract<LookupKind, "extrapolated" | "nearest">;
  readonly lnDistance: number;
  /** Start of the first step that has it. */
  readonly startUs: number;
}

export interface MeanAndPeak {
  readonly mean: number;
  readonly peak: number;
}
