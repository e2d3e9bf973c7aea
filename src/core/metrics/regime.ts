import type { RecordColumns } from "./recordColumns.js";
import { sortNumbers } from "./weightedValues.js";

/** Where a server stands: keeping up, about to be overrun, or overrun. */
export const REGIME_LABELS = ["below", "near", "past"] as const;
export type RegimeLabel = (typeof REGIME_LABELS)[number];

/** How far a run is from saturation, which decides what an error of the step time does to its latencies. */
export interface Regime {
  /**
   * `below`: 1 % of step time becomes less than 2 % of mean latency. `near`: more. `past`: waits grow for as long as
   * the load lasts, so latencies say how long the run was, not how fast the server is.
   * In a closed loop the load follows the server and 1 % stays 1 %: there the label says only how full it is.
   */
  readonly label: RegimeLabel;
  /**
   * Whether clients wait for answers before they send again, or have sent everything at once, as arrivals show it: a
   * client that pauses between an answer and its next request is not told from an open loop.
   */
  readonly closedLoop: boolean;
  /**
   * Share of the load: how much of a request's time the others cost it, by sharing its steps or by keeping it waiting,
   * 1 − (1 − sharedFraction)·(1 − limitedFraction), 0–1. Not how long the GPU is busy: a single stream of requests keeps
   * it busy all the time, with a share near 0.
   */
  readonly utilisation: number;
  /** Share of the mean step that requests cost each other: by how many percent it grows with 1 % more load. */
  readonly sharedFraction: number;
  /** Share of simulated time in which requests waited for a sequence, tokens or KV blocks. */
  readonly limitedFraction: number;
  /** Growth of the wait for the first schedule over the later half of the arrivals, s per s; null without a span. */
  readonly queueGrowth: number | null;
}

/** What `regimeOf` looks at besides the requests. */
export interface RegimeEvidence {
  /** GPU time of steps that left requests waiting, µs. */
  readonly limitedUs: number;
  readonly simulatedUs: number;
  /** By how many percent the mean step grows when the load grows by 1 %, 0–1. */
  readonly loadElasticity: number;
}

/** From here on 1 % of step time is 2 % of latency or more: 1/(1 − utilisation). */
const NEAR_UTILISATION = 0.5;
/** The same where arrivals come evenly and hide the load until they queue: sweeps had 2 % and more from here on. */
const NEAR_LIMITED_FRACTION = 0.25;
/** Overrun: most of the time somebody waits, … */
const PAST_LIMITED_FRACTION = 0.5;
/** … and over the later half of the run the wait grew by a quarter of a mean latency, … */
const PAST_GROWTH_FRACTION = 0.25;
/** … or this share of those who came then was not served to the end: impatient clients keep a queue from growing. */
const PAST_UNSERVED_FRACTION = 0.1;
/** Arrivals that the server's own answers must explain before a load counts as closed loop. */
const CLOSED_FRACTION = 0.5;

/**
 * Tells the regime of a run from what happened to its requests.
 *
 * Two mechanisms stretch an error of the step time on its way to latency, and the utilisation joins them. Requests in
 * a batch slow each other down: where they cost a share ρ of the mean step, latency and its error grow as
 * 1/(1 − ρ) (processor sharing with Little's law). And arrivals that find the server limited queue behind it; Poisson
 * arrivals do so as often as time shows it. The amplification is then about 1/(1 − utilisation); `eval/regime` lays
 * that beside amplifications of simulated runs.
 * @param records in order of arrival
 */
export function regimeOf(records: RecordColumns, evidence: RegimeEvidence): Regime {
  const { limitedUs, simulatedUs, loadElasticity } = evidence;
  const limitedFraction = simulatedUs > 0 ? Math.min(1, limitedUs / simulatedUs) : 0;
  const utilisation = 1 - (1 - loadElasticity) * (1 - limitedFraction);
  const meanE2eUs = meanCompletedE2eUs(records);
  const closedLoop = isClosedLoop(records);
  const later = records.length >> 1;
  const queueGrowth = waitSlope(records, later);
  const grownUs = (queueGrowth ?? 0) * arrivalSpanUs(records, later);
  const isOverrun =
    closedLoop ||
    grownUs >= PAST_GROWTH_FRACTION * meanE2eUs ||
    unservedFraction(records, later) >= PAST_UNSERVED_FRACTION;
  const isNear = utilisation >= NEAR_UTILISATION || limitedFraction >= NEAR_LIMITED_FRACTION;
  const isPast = limitedFraction >= PAST_LIMITED_FRACTION && isOverrun;
  return {
    label: isPast ? "past" : isNear ? "near" : "below",
    closedLoop,
    utilisation,
    sharedFraction: loadElasticity,
    limitedFraction,
    queueGrowth,
  };
}

/** NaN when none completed. */
function meanCompletedE2eUs(records: RecordColumns): number {
  let sumUs = 0;
  for (let i = 0; i < records.length; i++) {
    const { status, arrivalUs, lastTokenUs } = records.at(i);
    if (status === "completed") sumUs += lastTokenUs - arrivalUs;
  }
  return sumUs / records.counts.completed;
}

/**
 * Whether most requests were sent the moment another one ended, or all of them before the first answer began: then no
 * arrival saw the server's pace. The records show it, so that a replay of a closed loop by the arrival times of a
 * simulated run is judged as that run was.
 */
function isClosedLoop(records: RecordColumns): boolean {
  if (records.length < 2) return false;
  if (firstAnswerUs(records) > records.at(records.length - 1).arrivalUs) return true;
  const firstUs = records.at(0).arrivalUs;
  const endsUs = new Float64Array(records.length);
  for (let i = 0; i < records.length; i++) endsUs[i] = Math.ceil(records.at(i).lastTokenUs);
  const sortedEndsUs = sortNumbers(endsUs);
  let numCaused = 0;
  let next = 0;
  for (let i = 0; i < records.length; i++) {
    const { arrivalUs } = records.at(i);
    while (next < sortedEndsUs.length && sortedEndsUs[next]! < arrivalUs) next++;
    if (arrivalUs === firstUs || sortedEndsUs[next] === arrivalUs) numCaused++;
  }
  return numCaused > CLOSED_FRACTION * records.length;
}

/** NaN without an answer. */
function firstAnswerUs(records: RecordColumns): number {
  let leastUs = Number.NaN;
  for (let i = 0; i < records.length; i++) {
    const { firstTokenUs } = records.at(i);
    if (!(firstTokenUs >= leastUs) && !Number.isNaN(firstTokenUs)) leastUs = firstTokenUs;
  }
  return leastUs;
}

/** @param records in order of arrival @param from index of the first one that counts */
function arrivalSpanUs(records: RecordColumns, from: number): number {
  if (from >= records.length) return 0;
  return records.at(records.length - 1).arrivalUs - records.at(from).arrivalUs;
}

/** Least-squares slope of the wait over the arrival of those that were scheduled; null when all came at one instant. */
function waitSlope(records: RecordColumns, from: number): number | null {
  let numScheduled = 0;
  let sumArrivalsUs = 0;
  let sumWaitsUs = 0;
  for (let i = from; i < records.length; i++) {
    const { arrivalUs, firstScheduledUs } = records.at(i);
    if (Number.isNaN(firstScheduledUs)) continue;
    numScheduled++;
    sumArrivalsUs += arrivalUs;
    sumWaitsUs += firstScheduledUs - arrivalUs;
  }
  const meanArrivalUs = sumArrivalsUs / numScheduled;
  const meanWaitUs = sumWaitsUs / numScheduled;
  let covariance = 0;
  let variance = 0;
  for (let i = from; i < records.length; i++) {
    const { arrivalUs, firstScheduledUs } = records.at(i);
    if (Number.isNaN(firstScheduledUs)) continue;
    const deviationUs = arrivalUs - meanArrivalUs;
    covariance += deviationUs * (firstScheduledUs - arrivalUs - meanWaitUs);
    variance += deviationUs * deviationUs;
  }
  return variance > 0 ? covariance / variance : null;
}

/** Share of requests that did not complete; rejected ones never asked the scheduler. */
function unservedFraction(records: RecordColumns, from: number): number {
  let numAsked = 0;
  let numUnserved = 0;
  for (let i = from; i < records.length; i++) {
    const { status } = records.at(i);
    if (status === "rejected") continue;
    numAsked++;
    if (status !== "completed") numUnserved++;
  }
  return numAsked === 0 ? 0 : numUnserved / numAsked;
}
