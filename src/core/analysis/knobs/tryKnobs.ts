import { mergeConfig } from "../../config/mergeConfig.js";
import type { RunConfig } from "../../engine/runConfig.js";
import type { RunSummary } from "../../engine/simulate.js";
import { CapacityError, ConfigError } from "../../errors/simulationError.js";
import type { RunDigest } from "../digest/runDigest.js";
import { type Bottleneck, findBottleneck } from "./bottleneck.js";
import { type Knob, knobsFor, type Tunable } from "./knobs.js";

/** The numbers by which runs are compared; null where a run has none. */
export interface TrialMetrics {
  readonly ttftP99Ms: number | null;
  readonly itlP50Ms: number | null;
  readonly e2eP99Ms: number | null;
  readonly outputTokensPerS: number | null;
  readonly completed: number;
}

/** A knob and what came of it; `metrics` is null where the server refused it, for the `reason`. */
export interface Trial {
  readonly knob: Knob;
  readonly metrics: TrialMetrics | null;
  readonly reason: string | null;
  /** Mean of the four numbers' logarithmic improvements: 0.1 = about 10 % better; null where one cannot compare. */
  readonly gain: number | null;
}

/** What holds a run back, and what changes of one option did about it. */
export interface Advice {
  readonly bottleneck: Bottleneck;
  readonly base: TrialMetrics;
  readonly trials: readonly Trial[];
  /** Index of the trial that gains most; null when none gains `LEAST_GAIN`. */
  readonly best: number | null;
  /** The same among those that need neither other GPUs nor less precise answers. */
  readonly bestSetting: number | null;
}

/** Less is within what one seed's luck can do. */
const LEAST_GAIN = 0.02;

/** How a run is tried again. */
export interface TryOptions {
  /** Simulates the same requests with another config. */
  readonly simulateWith: (config: RunConfig) => RunSummary;
  /** Told before each trial. */
  readonly onTrial?: (index: number, of: number, knob: Knob) => void;
}

/**
 * Finds a run's bottleneck and simulates the same requests once for each change that may relieve it.
 * @returns null when nothing was served
 * @throws what `simulateWith` throws, except ConfigError and CapacityError: they are a trial's result
 */
export function adviseOn(
  summary: RunSummary,
  digest: Pick<RunDigest, "limits" | "bounds">,
  tunable: Tunable,
  { simulateWith, onTrial }: TryOptions,
): Advice | null {
  const bottleneck = findBottleneck(summary, digest);
  if (bottleneck === null) return null;
  const base = trialMetrics(summary);
  const knobs = knobsFor(bottleneck.kind, tunable);
  const trials = knobs.map((knob, i): Trial => {
    onTrial?.(i, knobs.length, knob);
    try {
      const metrics = trialMetrics(simulateWith(mergeConfig(tunable.config, knob.change) as RunConfig));
      return { knob, metrics, reason: null, gain: gainOf(base, metrics) };
    } catch (error) {
      if (!(error instanceof ConfigError || error instanceof CapacityError)) throw error;
      return { knob, metrics: null, reason: error.message, gain: null };
    }
  });
  return {
    bottleneck,
    base,
    trials,
    best: bestOf(trials, () => true),
    bestSetting: bestOf(trials, ({ knob }) => knob.cost === "setting"),
  };
}

function trialMetrics({ ttftMs, itlMs, e2eMs, throughput, requests }: RunSummary): TrialMetrics {
  return {
    ttftP99Ms: ttftMs.p99,
    itlP50Ms: itlMs.p50,
    e2eP99Ms: e2eMs.p99,
    outputTokensPerS: throughput.outputTokensPerS,
    completed: requests.completed,
  };
}

/** null when fewer requests were served: those that are left out flatter the latencies. */
function gainOf(base: TrialMetrics, changed: TrialMetrics): number | null {
  if (changed.completed < base.completed) return null;
  const lower = [
    [base.ttftP99Ms, changed.ttftP99Ms],
    [base.itlP50Ms, changed.itlP50Ms],
    [base.e2eP99Ms, changed.e2eP99Ms],
    [changed.outputTokensPerS, base.outputTokensPerS],
  ] as const;
  const gains = lower.flatMap(([before, after]) => (before && after ? [Math.log(before / after)] : []));
  return gains.length === 0 ? null : gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
}

function bestOf(trials: readonly Trial[], isMeant: (trial: Trial) => boolean): number | null {
  let best: number | null = null;
  trials.forEach((trial, i) => {
    if (trial.gain === null || trial.gain < LEAST_GAIN || !isMeant(trial)) return;
    if (best === null || trial.gain > (trials[best]?.gain ?? 0)) best = i;
  });
  return best;
}
