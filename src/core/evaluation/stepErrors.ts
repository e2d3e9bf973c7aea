import { sortedPercentile } from "../metrics/distribution.js";
import { meanApe } from "./compareRun.js";

/** What a step computes. */
export type StepKind = "decode" | "prefill" | "mixed";

/** One step in both worlds: µs on the GPU. */
export interface ComparedStep {
  readonly kind: StepKind;
  readonly measuredUs: number;
  readonly predictedUs: number;
}

/** Errors of predicted step times, percent of the measured ones. */
export interface StepErrors {
  readonly kind: StepKind | "all";
  readonly numSteps: number;
  /** Mean |error|. */
  readonly meanApe: number;
  /** Nine of ten steps have a smaller |error|. */
  readonly p90Ape: number;
  /** Mean with its sign: > 0 where predictions are too slow. */
  readonly meanError: number;
}

/** All steps first, then each kind that occurs. @param steps at least one, measured times > 0 */
export function stepErrors(steps: readonly ComparedStep[]): StepErrors[] {
  const kinds = (["decode", "prefill", "mixed"] as const).filter((kind) => steps.some((step) => step.kind === kind));
  return (["all", ...kinds] as const).map((kind) => {
    const some = kind === "all" ? steps : steps.filter((step) => step.kind === kind);
    const errors = some.map(errorPercent);
    const apes = errors.map(Math.abs).sort((a, b) => a - b);
    return {
      kind,
      numSteps: some.length,
      meanApe: meanApe(
        some.map(({ measuredUs }) => measuredUs),
        some.map(({ predictedUs }) => predictedUs),
      )!,
      p90Ape: sortedPercentile(apes, 0.9),
      meanError: errors.reduce((sum, error) => sum + error, 0) / errors.length,
    };
  });
}

/** Percent; > 0 where the prediction is too slow. */
export function errorPercent({ measuredUs, predictedUs }: ComparedStep): number {
  return 100 * (predictedUs / measuredUs - 1);
}
