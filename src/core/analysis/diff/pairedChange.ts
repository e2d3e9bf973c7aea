import { distribution } from "../../metrics/distribution.js";
import type { Interval } from "../../metrics/interval.js";
import { T_INTERVAL_LEVEL, tInterval } from "../../metrics/tInterval.js";
import { type ChangeTimeline, changeTimeline } from "./changeTimeline.js";
import type { ComparedRequest } from "./comparedRun.js";
import { type Change, changeOf } from "./metricChange.js";
import type { RequestPair } from "./pairRequests.js";
import { type Verdict, verdictOf } from "./verdict.js";

/** Latencies that are compared request by request. */
export const PAIRED_LATENCIES = ["ttftMs", "interTokenMs", "e2eMs"] as const;
export type PairedLatency = (typeof PAIRED_LATENCIES)[number];

/** Stretches of a request's life that add up to its end-to-end latency. */
export const E2E_PARTS = ["waitingMs", "prefillMs", "decodeMs"] as const;
export type E2ePart = (typeof E2E_PARTS)[number];

/** What became of one latency, request by request. */
export interface PairedLatencyChange {
  readonly latency: PairedLatency;
  readonly numPairs: number;
  readonly numSlower: number;
  readonly numFaster: number;
  /** Of the change of each request, ms; null without pairs. */
  readonly medianMs: number | null;
  readonly meanMs: number | null;
  /**
   * 95 % interval of the mean change over runs of this length, ms: Student's, of the means of eight stretches of the run,
   * because requests that are served at the same time share their luck. null with `noInterval`.
   */
  readonly meanInterval: Interval | null;
  readonly verdict: Verdict;
}

/** A part of the mean end-to-end latency of the pairs, ms. */
export interface E2ePartChange extends Change {
  readonly part: E2ePart;
}

/** What happened to the requests that two runs have in common. */
export interface PairedChange {
  readonly numPairs: number;
  readonly numOnlyA: number;
  readonly numOnlyB: number;
  readonly intervalLevel: number;
  /** Why one run gives no interval of the mean changes; null where it does. */
  readonly noInterval: string | null;
  readonly latencies: readonly PairedLatencyChange[];
  /** Their changes add up to the mean change of `e2eMs`. */
  readonly e2eParts: readonly E2ePartChange[];
  readonly timeline: Readonly<Record<"ttftMs" | "e2eMs", ChangeTimeline>> | null;
}

/** Few and long, so that they have little luck in common. */
const NUM_STRETCHES = 8;
const MIN_PAIRS_PER_STRETCH = 5;

/**
 * @param pairs in order of arrival
 */
export function pairedChange(
  pairs: readonly RequestPair[],
  { numOnlyA, numOnlyB, noInterval }: Pick<PairedChange, "numOnlyA" | "numOnlyB" | "noInterval">,
): PairedChange {
  const meanOf = (side: "a" | "b", part: E2ePart) => distribution(pairs.map((pair) => pair[side][part])).mean;
  return {
    numPairs: pairs.length,
    numOnlyA,
    numOnlyB,
    intervalLevel: T_INTERVAL_LEVEL,
    noInterval,
    latencies: PAIRED_LATENCIES.map((latency) => latencyChange(pairs, latency, noInterval === null)),
    e2eParts: E2E_PARTS.map((part) => ({ part, ...changeOf(meanOf("a", part), meanOf("b", part)) })),
    timeline:
      pairs.length === 0
        ? null
        : { ttftMs: changeTimeline(pairs, changeMs("ttftMs")), e2eMs: changeTimeline(pairs, changeMs("e2eMs")) },
  };
}

/** A latency of one request, ms. */
export function latencyMs(request: ComparedRequest, latency: PairedLatency): number {
  const { waitingMs, prefillMs, decodeMs, interTokenMs } = request;
  if (latency === "interTokenMs") return interTokenMs;
  return latency === "ttftMs" ? waitingMs + prefillMs : waitingMs + prefillMs + decodeMs;
}

function changeMs(latency: PairedLatency): (pair: RequestPair) => number {
  return ({ a, b }) => latencyMs(b, latency) - latencyMs(a, latency);
}

function latencyChange(
  pairs: readonly RequestPair[],
  latency: PairedLatency,
  hasInterval: boolean,
): PairedLatencyChange {
  const changes = pairs.map(changeMs(latency)).filter((change) => !Number.isNaN(change));
  const { mean, p50 } = distribution(changes);
  const meanInterval = hasInterval ? stretchInterval(changes) : null;
  const numSlower = changes.filter((change) => change > 0).length;
  const numFaster = changes.filter((change) => change < 0).length;
  return {
    latency,
    numPairs: changes.length,
    numSlower,
    numFaster,
    medianMs: p50,
    meanMs: mean,
    meanInterval,
    verdict: numSlower + numFaster === 0 ? "none" : verdictOf(meanInterval),
  };
}

/** The interval of the means of consecutive stretches whose numbers of requests differ by one at most. */
function stretchInterval(changes: readonly number[]): Interval | null {
  if (changes.length < NUM_STRETCHES * MIN_PAIRS_PER_STRETCH) return null;
  const start = (stretch: number) => Math.round((stretch * changes.length) / NUM_STRETCHES);
  const stretches = Array.from({ length: NUM_STRETCHES }, (_, i) => changes.slice(start(i), start(i + 1)));
  return tInterval(stretches.map((stretch) => distribution(stretch).mean));
}
