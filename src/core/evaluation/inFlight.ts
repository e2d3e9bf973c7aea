import { endUs } from "../metrics/requestEnd.js";
import type { RequestRecord } from "../metrics/requestRecord.js";
import type { RequestSpec } from "../request/requestSpec.js";

/**
 * How many requests each one met in flight when it arrived, itself included: those sent before it that their clients
 * were not done with. One that ends at the very moment of an arrival has ended.
 * @param records in order of submission, so that arrivals do not decrease
 * @param specs parallel to `records`
 */
export function requestsInFlight(records: readonly RequestRecord[], specs: readonly RequestSpec[]): number[] {
  // What ends as it arrives (a rejected request) is in flight for nobody else; NaN, never done with, counts for good.
  const ends = records.map((record, i) => endUs(record, specs[i] ?? null));
  const isInstant = records.map(({ arrivalUs }, i) => ends[i]! <= arrivalUs);
  const later = ends.filter((us, i) => !Number.isNaN(us) && !isInstant[i]).sort((a, b) => a - b);
  let numSent = 0;
  let numEnded = 0;
  return records.map(({ arrivalUs }, i) => {
    while (numEnded < later.length && later[numEnded]! <= arrivalUs) numEnded++;
    const inFlight = numSent - numEnded + 1;
    if (!isInstant[i]) numSent++;
    return inFlight;
  });
}
