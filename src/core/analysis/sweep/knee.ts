/** What a server did at one load. */
export interface LoadPoint {
  /** Offered load, in any unit that grows: requests/s, or streams. */
  readonly load: number;
  /** Work done per second, in any unit. */
  readonly throughput: number;
  /** Mean latency, in any unit. */
  readonly latency: number;
}

/** Where a curve bends, as closely as the loads tried can tell. */
export interface Knee {
  /** The load tried that is nearest to it. */
  readonly load: number;
  /** The knee lies between these neighbours; null = it may lie below every load tried. */
  readonly above: number | null;
  readonly below: number;
}

/**
 * The knee of latency: the load of the greatest power, throughput ÷ latency. Below it more load buys more throughput than
 * it costs latency, in proportion; above it the other way round. For M/M/1 it is at half of the capacity, for M/G/1
 * where one request is in the system on average.
 *
 * Chosen before Kneedle (Satopää et al. 2011), which scales both axes to the range swept: on M/M/1 its knee moves from
 * 0.68 to 0.90 of the capacity when the sweep ends at 0.9 or at 0.99 of it. The greatest power stays where it is.
 * @param points ascending by load
 * @returns null with fewer than three points, or where the power still grows at the last one
 * @see L. Kleinrock, "Power and deterministic rules of thumb for probabilistic problems in computer communications",
 *   ICC 1979
 */
export function latencyKnee(points: readonly LoadPoint[]): Knee | null {
  if (points.length < 3) return null;
  let best = 0;
  const power = points.map(({ throughput, latency }) => throughput / latency);
  for (let i = 1; i < power.length; i++) if (power[i]! > power[best]!) best = i;
  const next = points[best + 1];
  if (next === undefined) return null;
  return { load: points[best]!.load, above: points[best - 1]?.load ?? null, below: next.load };
}

/** Where a property starts to hold as a load grows: it holds from `firstLoad` on and not at `lastLoad` or before. */
export interface Change {
  readonly lastLoad: number | null;
  readonly firstLoad: number | null;
}

/**
 * The one change from "no" to "yes" that contradicts the fewest points, so that a single run that went well by luck does
 * not decide; the lowest of several.
 * @param points ascending by load
 */
export function changeOf(points: readonly { readonly load: number; readonly holds: boolean }[]): Change {
  let numContradicted = points.filter(({ holds }) => !holds).length;
  let fewest = numContradicted;
  let change = 0;
  points.forEach(({ holds }, i) => {
    numContradicted += holds ? 1 : -1;
    if (numContradicted >= fewest) return;
    fewest = numContradicted;
    change = i + 1;
  });
  return { lastLoad: points[change - 1]?.load ?? null, firstLoad: points[change]?.load ?? null };
}
