import { distribution } from "../../metrics/distribution.js";
import type { Interval } from "../../metrics/interval.js";
import { T_INTERVAL_LEVEL, tInterval } from "../../metrics/tInterval.js";
import type { ComparedNumbers } from "./comparedRun.js";
import { changeOf, type MetricChange, metricChanges } from "./metricChange.js";
import { type Verdict, verdictOf } from "./verdict.js";

/** A number of both sides over several seeds. */
export interface SeedMetricChange extends MetricChange {
  /** 95 % interval of the mean change, Student's, of the seeds' own changes; null with fewer than two of them. */
  readonly interval: Interval | null;
  readonly verdict: Verdict;
}

/** Both configs served with the same seeds, so that each seed's change is due to the config alone. */
export interface SeedChange {
  readonly seeds: readonly number[];
  readonly intervalLevel: number;
  /** `a` and `b` are means over the seeds in which both sides have the number. In the order of `metricChanges`. */
  readonly metrics: readonly SeedMetricChange[];
}

/**
 * What a change of config does to a run of this length, whichever requests it gets: the expected change of each number,
 * with an interval over seeds. It holds in a run that has no steady state too, because a seed is a whole run.
 * @param a runs of A, one a seed, parallel to `seeds` as those of `b` are
 * @param isSameLoad as for `metricChanges`
 */
export function seedChange(
  seeds: readonly number[],
  a: readonly ComparedNumbers[],
  b: readonly ComparedNumbers[],
  isSameLoad = true,
): SeedChange {
  const ofSeeds = a.map(
    (run, seed) => new Map(metricChanges(run, b[seed]!, isSameLoad).map((metric) => [metric.name, metric])),
  );
  const metrics = [...(ofSeeds[0]?.values() ?? [])].map(({ name, group, better }): SeedMetricChange => {
    const both = ofSeeds.map((metrics) => metrics.get(name)!).filter(({ change }) => change !== null);
    const mean = (of: (metric: MetricChange) => number | null) => distribution(both.map((one) => of(one)!)).mean;
    return {
      ...{ name, group, better },
      ...changeOf(
        mean((one) => one.a),
        mean((one) => one.b),
      ),
      ...pairedVerdict(both.map(({ change }) => change!)),
    };
  });
  return { seeds, intervalLevel: T_INTERVAL_LEVEL, metrics };
}

/**
 * What the changes of single seeds say of the expected change.
 * @param changes one of each seed that both sides were served with
 */
export function pairedVerdict(changes: readonly number[]): Pick<SeedMetricChange, "interval" | "verdict"> {
  const interval = tInterval(changes);
  const isStill = changes.length > 0 && changes.every((change) => change === 0);
  return { interval, verdict: isStill ? "none" : verdictOf(interval) };
}
