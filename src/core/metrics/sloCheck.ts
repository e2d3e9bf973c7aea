import { US_PER_MS } from "../units/units.js";
import type { RequestRecord } from "./requestRecord.js";
import { e2eMs, interTokenMs, type RunMetrics, ttftMs } from "./runMetrics.js";
import { neededFraction, type Slo, type SloLatency, type SloLimit, sloName } from "./slo.js";

/** One promise of an SLO beside what a run did. */
export interface SloCheck {
  /** `p99 TTFT`, `goodput`. */
  readonly name: string;
  /** ms, or a fraction for goodput. */
  readonly limit: number;
  /** In the unit of the limit; null where too few requests completed to have such a value. */
  readonly value: number | null;
  readonly isMet: boolean;
}

/** What binary fractions may miss a share such as 0.999 by. */
export const FRACTION_SLACK = 1e-12;

/** The part of a record that an SLO looks at. */
export type JudgedRecord = Pick<
  RequestRecord,
  "status" | "arrivalUs" | "firstTokenUs" | "lastTokenUs" | "queueUs" | "numOutputTokens"
>;

const LATENCY_OF: Readonly<Record<SloLatency, (record: JudgedRecord) => number>> = {
  ttftMs,
  itlMs: interTokenMs,
  // No limit is on those of one request: `parseSlo`.
  gapMs: () => Number.NaN,
  tpotMs: interTokenMs,
  e2eMs,
  queueMs: (record) => record.queueUs / US_PER_MS,
};

/** Whether a request is later than a limit: one that did not complete is, one without such a latency is not. */
export function isLate(record: JudgedRecord, { latency, limitMs }: SloLimit): boolean {
  return record.status !== "completed" || LATENCY_OF[latency](record) > limitMs;
}

/** Whether a request keeps every limit on each request. A request of one token has no time between tokens. */
export function isGood(record: JudgedRecord, { limits }: Slo): boolean {
  return record.status === "completed" && !limits.some((limit) => limit.statistic === null && isLate(record, limit));
}

/** Every promise of an SLO beside what a run did, in the order of the SLO, goodput last. */
export function checkSlo(slo: Slo, run: RunMetrics, goodFraction: number | null): SloCheck[] {
  const checks = slo.limits.filter(({ statistic }) => statistic !== null).map((limit) => checkLimit(limit, run));
  if (slo.goodputFraction === null) return checks;
  const isMet = goodFraction !== null && goodFraction >= slo.goodputFraction - FRACTION_SLACK;
  return [...checks, { name: "goodput", limit: slo.goodputFraction, value: goodFraction, isMet }];
}

/** A request that never completed is later than any limit. */
function checkLimit(limit: SloLimit, run: RunMetrics): SloCheck {
  const { latency, statistic, limitMs } = limit;
  const { completed, submitted } = run.requests;
  const isKnown =
    statistic !== null && completed > 0 && completed >= (neededFraction(statistic) - FRACTION_SLACK) * submitted;
  const value = isKnown ? run[latency][statistic] : null;
  return { name: sloName(limit), limit: limitMs, value, isMet: value !== null && value <= limitMs };
}
