import { emptyGuidellmDistribution, type GuidellmDistribution, guidellmDistribution } from "./guidellmDistribution.js";
import { type MergedValues, mergeEqualValues, type WeightedValues } from "./weightedValues.js";

/** Events closer than this to the first of their cluster become one event, s. */
const MERGE_WITHIN_S = 1e-4;
/** The last event owns at least this much time, s. */
const MIN_LAST_DURATION_S = 1e-6;

/** Measurement window, Unix seconds. */
export interface MeasureWindow {
  readonly startS: number;
  readonly endS: number;
}

/**
 * Distribution of an event rate over time as GuideLLM ≥ 0.4 computes it: each event owns half the gap to either
 * neighbour, its rate is weight / owned time, and owned time is the weight in the distribution. So the mean is
 * Σ weights / (last − first event).
 * @param events `values` are times in s, `weights` what happened then (tokens, or 1 per request)
 * @param window events outside are dropped and its ends act as events of weight 0; null = no window
 */
export function rateDistribution(events: WeightedValues, window: MeasureWindow | null): GuidellmDistribution {
  const { times, weights } = mergeNear(window === null ? events : withinWindow(events, window));
  const numEvents = times.length;
  if (numEvents <= 1) return emptyGuidellmDistribution(numEvents);
  const rates = new Float64Array(numEvents);
  const durationsS = new Float64Array(numEvents);
  let count = 0;
  for (let i = 0; i < numEvents; i++) {
    // Differences of rounded midpoints, not half-sums of gaps: at Unix seconds the two differ in the seventh digit.
    const fromS = i === 0 ? times[0]! : (times[i - 1]! + times[i]!) / 2;
    const toS = i === numEvents - 1 ? times[i]! : (times[i]! + times[i + 1]!) / 2;
    durationsS[i] = i === numEvents - 1 ? Math.max(toS - fromS, MIN_LAST_DURATION_S) : toS - fromS;
    rates[i] = weights[i]! / durationsS[i]!;
    count += weights[i]!;
  }
  return guidellmDistribution({ values: rates, weights: durationsS }, Math.round(count));
}

/**
 * Time-weighted distribution of how many intervals are open within the window, as GuideLLM ≥ 0.4 computes it:
 * the mean is Σ overlap / window, `max` the peak, `count` the intervals that touch the window.
 */
export function concurrencyDistribution(
  startsS: Float64Array,
  endsS: Float64Array,
  window: MeasureWindow,
): GuidellmDistribution {
  const kept = startsS.map((_, i) => i).filter((i) => endsS[i]! >= window.startS && startsS[i]! <= window.endS);
  if (kept.length === 0) return emptyGuidellmDistribution(0);
  const times = new Float64Array(kept.length * 2);
  const changes = new Float64Array(kept.length * 2);
  kept.forEach((interval, k) => {
    times[2 * k] = startsS[interval]!;
    changes[2 * k] = 1;
    times[2 * k + 1] = endsS[interval]!;
    changes[2 * k + 1] = -1;
  });
  const merged = mergeNear({ values: times, weights: changes });
  const levels: number[] = [];
  const durationsS: number[] = [];
  let level = 0;
  let sinceS = window.startS;
  for (let i = 0; i < merged.times.length && merged.times[i]! <= window.endS; i++) {
    if (merged.times[i]! > window.startS) {
      levels.push(Math.max(level, 0));
      durationsS.push(merged.times[i]! - sinceS);
      sinceS = merged.times[i]!;
    }
    level += merged.weights[i]!;
  }
  levels.push(Math.max(level, 0));
  durationsS.push(Math.max(window.endS - sinceS, 0));
  const input = { values: Float64Array.from(levels), weights: Float64Array.from(durationsS) };
  return guidellmDistribution(input, kept.length);
}

function withinWindow({ values, weights }: WeightedValues, window: MeasureWindow): WeightedValues {
  const inside = values.map((_, i) => i).filter((i) => values[i]! >= window.startS && values[i]! <= window.endS);
  const times = new Float64Array(inside.length + 2);
  const counts = new Float64Array(inside.length + 2);
  times[0] = window.startS;
  inside.forEach((i, k) => {
    times[k + 1] = values[i]!;
    counts[k + 1] = weights === null ? 1 : weights[i]!;
  });
  times[inside.length + 1] = window.endS;
  return { values: times, weights: counts };
}

/** Joins each cluster of events into its first one, weights added up; in order of time. */
function mergeNear(events: WeightedValues): { times: Float64Array; weights: Float64Array } {
  const { values: times, weights }: MergedValues = mergeEqualValues(events);
  let count = 0;
  for (let i = 0; i < times.length; i++) {
    if (count > 0 && times[i]! - times[count - 1]! <= MERGE_WITHIN_S) weights[count - 1]! += weights[i]!;
    else {
      times[count] = times[i]!;
      weights[count++] = weights[i]!;
    }
  }
  return { times: times.subarray(0, count), weights: weights.subarray(0, count) };
}
