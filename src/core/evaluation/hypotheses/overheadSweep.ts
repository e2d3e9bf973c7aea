import { createStream } from "../../des/streams.js";
import type { RunComparison } from "../compareRun.js";
import type { Check } from "./finding.js";
import { errorFalls, mean, tpotError, ttftError } from "./realChecks.js";

/** Constants that are tried in place of the 50 µs, ms per step: InferSim adds 5 ms to a decode step. */
export const SWEPT_OVERHEADS_MS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/** Shares of the experiments the constant is chosen on, and how often they are drawn anew. */
const TRAINING_FRACTION = 0.7;
const SPLIT_SEEDS: readonly number[] = [1, 2, 3, 4, 5];

/** Experiments replayed with one constant after the other. */
export interface OverheadSweep {
  /** By experiment, with the baseline's 50 µs. */
  readonly base: readonly RunComparison[];
  /** By constant, as in `SWEPT_OVERHEADS_MS` but perhaps fewer, then by experiment. */
  readonly byOverhead: readonly (readonly RunComparison[])[];
}

/**
 * Replays with one constant after the other, until the steps of every experiment are too slow: a longer constant could
 * only be further off, and its replays, of overloaded servers, are the longest of all.
 */
export function sweepOverheads(
  base: readonly RunComparison[],
  replayWith: (overheadMs: number) => readonly RunComparison[],
): OverheadSweep {
  const byOverhead: (readonly RunComparison[])[] = [];
  for (const overheadMs of SWEPT_OVERHEADS_MS) {
    const runs = replayWith(overheadMs);
    byOverhead.push(runs);
    if (runs.every(isTooSlow)) break;
  }
  return { base, byOverhead };
}

function isTooSlow({ metrics }: RunComparison): boolean {
  const { measured, predicted } = metrics.itlMs.mean;
  return measured !== null && predicted !== null && predicted >= measured;
}

/** What one split chose, and what that gave on the experiments it had not seen. */
export interface OverheadChoice {
  readonly overheadMs: number;
  /** Points of percent; negative = worse. */
  readonly tpotImprovement: number;
  readonly ttftImprovement: number;
}

/** For each seed: chooses the constant on a random 70 % of the experiments, judges it on the others. */
export function overheadChoices({ base, byOverhead }: OverheadSweep): OverheadChoice[] {
  return SPLIT_SEEDS.map((seed) => {
    const { training, heldOut } = split(base.length, seed);
    const trainingError = (runs: readonly RunComparison[]) => mean(training.map((i) => tpotError(runs[i]!)));
    let chosen = 0;
    byOverhead.forEach((runs, i) => {
      if (trainingError(runs) < trainingError(byOverhead[chosen]!)) chosen = i;
    });
    const gain = (error: (run: RunComparison) => number) =>
      mean(heldOut.map((i) => error(base[i]!) - error(byOverhead[chosen]![i]!)));
    return {
      overheadMs: SWEPT_OVERHEADS_MS[chosen]!,
      tpotImprovement: gain(tpotError),
      ttftImprovement: gain(ttftError),
    };
  });
}

/** H2: a constant chosen on some experiments improves TPOT by ≥ 3 points on others, and costs TTFT at most 1. */
export function overheadChecks(choices: readonly OverheadChoice[]): Check[] {
  const tpot = mean(choices.map(({ tpotImprovement }) => tpotImprovement));
  const ttft = mean(choices.map(({ ttftImprovement }) => ttftImprovement));
  return [errorFalls("held-out TPOT", tpot, 3), errorFalls("held-out TTFT", ttft, -1)];
}

/** A random split of `count` experiments, at least one on each side. */
function split(count: number, seed: number): { training: number[]; heldOut: number[] } {
  const draw = createStream(seed, "overhead-split");
  const shuffled = Array.from({ length: count }, (_, i) => ({ i, key: draw() })).sort(
    (a, b) => a.key - b.key || a.i - b.i,
  );
  const numTraining = Math.min(count - 1, Math.max(1, Math.round(TRAINING_FRACTION * count)));
  return {
    training: shuffled.slice(0, numTraining).map(({ i }) => i),
    heldOut: shuffled.slice(numTraining).map(({ i }) => i),
  };
}
