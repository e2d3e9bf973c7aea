import type { Change } from "./knee.js";
import type { SeriesSaturation } from "./saturation.js";
import { SETTLED_LATENCIES } from "./settled.js";

/** What is found of a series before it is put into words. */
export type FoundSaturation = Omit<SeriesSaturation, "series" | "label" | "varied" | "finding">;

/** What to do about runs that say nothing. */
const TOO_SHORT = `${SETTLED_LATENCIES} mean latencies must pass from the first arrival to the last, so give more --max-requests`;

/** The bracket of saturation: a load is carried below the first of its two signs, a growing queue and throughput that falls behind. */
export function carriedLoads(
  queue: Change,
  throughput: Change,
): Pick<SeriesSaturation, "sustainedLoad" | "saturatedLoad"> {
  if (throughput.firstLoad === null) return { sustainedLoad: queue.lastLoad, saturatedLoad: queue.firstLoad };
  const isNone = queue.lastLoad === null || throughput.lastLoad === null;
  return {
    sustainedLoad: isNone ? null : Math.min(queue.lastLoad, throughput.lastLoad),
    saturatedLoad: Math.min(queue.firstLoad ?? throughput.firstLoad, throughput.firstLoad),
  };
}

/** Where a series saturates, in a sentence. @param loads those of its points, ascending */
export function saturationFinding(found: FoundSaturation, loads: readonly number[]): string {
  const { unit, sustainedLoad, saturatedLoad, tooShortLoad, latencyKnee, throughputKnee, maxThroughput } = found;
  const words = (load: number) => loadWords(load, unit);
  const bend = latencyKnee === null ? "" : `; latency bends at ${words(latencyKnee.load)}`;
  const [least, most] = [loads[0], loads.at(-1)];
  if (unit === null || least === undefined || most === undefined) {
    return "No loads to compare: give several rates to find saturation.";
  }
  if (unit === "streams") {
    return `Clients wait for answers, so no queue grows without end${bend === "" ? "; latency bends at none of the loads" : bend}.`;
  }
  if (saturatedLoad !== null) {
    const level = throughputKnee === null || maxThroughput === null ? null : requestWords(maxThroughput.requestsPerS);
    const sign = level === null ? "its queue grows there" : `throughput levels off at ${level}`;
    if (sustainedLoad === null && tooShortLoad !== null && tooShortLoad < saturatedLoad) {
      return `Carries less than ${words(saturatedLoad)}: ${sign}; below, the runs are too short to tell: ${TOO_SHORT}.`;
    }
    if (sustainedLoad === null) return `Carries none of the rates, not even ${words(saturatedLoad)}: ${sign}.`;
    return `Carries ${words(sustainedLoad)}, not ${words(saturatedLoad)}: ${sign}${bend}.`;
  }
  if (sustainedLoad === null) return `The runs are too short to tell what saturates: ${TOO_SHORT}.`;
  if (tooShortLoad !== null) {
    return `Carries every rate up to ${words(sustainedLoad)}${bend}; from ${words(tooShortLoad)} on the runs are too short to tell: ${TOO_SHORT}.`;
  }
  const atOnce = maxThroughput?.label.endsWith("throughput")
    ? `; all at once it serves ${requestWords(maxThroughput.requestsPerS)}`
    : "";
  const all = least === most ? `${words(most)}, the only rate tried` : `every rate, up to ${words(most)}`;
  return `Carries ${all}${atOnce}${bend}.`;
}

function loadWords(load: number, unit: SeriesSaturation["unit"]): string {
  const number = Number(load.toPrecision(3));
  if (unit === "streams") return `${number} ${number === 1 ? "stream" : "streams"}`;
  return unit === "sessionsPerS" ? `${number} sessions/s` : requestWords(load);
}

function requestWords(requestsPerS: number): string {
  return `${Number(requestsPerS.toPrecision(3))} requests/s`;
}
