import { endUs } from "../../metrics/requestEnd.js";
import type { RequestRecord } from "../../metrics/requestRecord.js";
import type { RequestSpec } from "../../request/requestSpec.js";
import { US_PER_S } from "../../units/units.js";
import type { StepTimeline } from "./stepTimeline.js";

/** A run over simulated time, in equal slices from time 0; every column is `[numSlices]`. */
export interface RunTimeline {
  /** Length of a slice, s. */
  readonly sliceS: number;
  /** Mean number of requests in service: from their first schedule to their end, preempted or not. */
  readonly running: readonly number[];
  /** Mean number of requests sent and not scheduled yet. */
  readonly waiting: readonly number[];
  /** Steps; one that reaches over several slices counts in each in proportion, as do its tokens. */
  readonly steps: readonly number[];
  readonly prefillTokens: readonly number[];
  readonly decodeTokens: readonly number[];
  /** Mean fraction of KV blocks in use; nothing is in use between steps. */
  readonly kvFraction: readonly number[];
  readonly preemptions: readonly number[];
}

/**
 * Lays requests and steps of a finished run over time. Σ running × sliceS is the time all requests were in service,
 * Σ of the tokens is what the steps computed.
 * @param specs parallel to `records`
 */
export function runTimeline(
  records: readonly RequestRecord[],
  specs: readonly RequestSpec[],
  steps: StepTimeline,
): RunTimeline {
  const ends = records.map((record, i) => endUs(record, specs[i] ?? null));
  let lastUs = 0;
  for (const us of ends) if (us > lastUs) lastUs = us;
  const { widthUs, bins } = steps.until(lastUs);
  const runningUs = new Float64Array(bins.length);
  const waitingUs = new Float64Array(bins.length);
  records.forEach(({ arrivalUs, firstScheduledUs }, i) => {
    // NaN where it never was scheduled, or had no end: then it waited, or is left out.
    const leftUs = Number.isNaN(firstScheduledUs) ? ends[i]! : firstScheduledUs;
    addStay(waitingUs, widthUs, arrivalUs, leftUs);
    addStay(runningUs, widthUs, firstScheduledUs, ends[i]!);
  });
  const mean = (us: Float64Array) => Array.from(us, (stayUs) => stayUs / widthUs);
  return {
    sliceS: widthUs / US_PER_S,
    running: mean(runningUs),
    waiting: mean(waitingUs),
    steps: bins.map((bin) => bin.steps),
    prefillTokens: bins.map((bin) => bin.prefillTokens),
    decodeTokens: bins.map((bin) => bin.decodeTokens),
    kvFraction: bins.map((bin) => bin.kvFractionUs / widthUs),
    preemptions: bins.map((bin) => bin.preemptions),
  };
}

/** Adds the time from `startUs` to `endUs` to the slices it covers; nothing where either is NaN. */
function addStay(slicesUs: Float64Array, widthUs: number, startUs: number, endUs: number): void {
  for (let fromUs = startUs; fromUs < endUs; ) {
    const slice = Math.floor(fromUs / widthUs);
    const toUs = Math.min(endUs, (slice + 1) * widthUs);
    slicesUs[slice]! += toUs - fromUs;
    fromUs = toUs;
  }
}
