import { ConfigError } from "../errors/simulationError.js";
import { MS_PER_S } from "../units/units.js";
import { nearestLimit } from "./sloTypo.js";

/**
 * Latencies a limit can be set on; `itl` of one request is its mean, as `tpot` is, and over the run GuideLLM's ITL. `gap` is
 * the single time between two tokens, vLLM's ITL: known over the run only.
 */
export const SLO_LATENCIES = {
  ttft: "ttftMs",
  itl: "itlMs",
  gap: "gapMs",
  tpot: "tpotMs",
  e2e: "e2eMs",
  queue: "queueMs",
} as const;
export type SloLatency = (typeof SLO_LATENCIES)[keyof typeof SLO_LATENCIES];

/** Statistics a limit can be set on, with the share of requests that must have completed for it to say anything. */
const COMPLETED_FRACTION = { mean: 1, p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 } as const;
export type SloStatistic = keyof typeof COMPLETED_FRACTION;

/** Share of requests that must be good where limits for each request stand alone: DistServe's attainment goal (OSDI 2024). */
export const DEFAULT_GOODPUT_FRACTION = 0.9;

/** A limit on a statistic over a run, `p99 ttft<=500ms`; or, without a statistic, on each request. */
export interface SloLimit {
  readonly latency: SloLatency;
  /** null = a limit on each request: how many keep all of these is the goodput. */
  readonly statistic: SloStatistic | null;
  readonly limitMs: number;
}

/** A service level objective: every limit on a statistic holds, and enough requests keep all limits on each request. */
export interface Slo {
  readonly limits: readonly SloLimit[];
  /** Share of submitted requests, 0–1; null where no limit is on each request. */
  readonly goodputFraction: number | null;
}

const ALLOWED =
  "must be limits such as p99 ttft<=500ms, p95 itl<=40ms; a statistic (mean, p50, p90, p95, p99) is over the run, a " +
  "limit without one (ttft<=500ms) is on each request, of which goodput>=95% says how many must keep it";

/**
 * Parses `p99 ttft<=500ms, p95 itl<=40ms` or `ttft<=500ms, tpot<=40ms, goodput>=95%`. Units are ms (also where none
 * stands) and s; vLLM's `ttft:500` is the same as `ttft<=500ms`.
 * @throws ConfigError naming every part that is no limit
 */
export function parseSlo(text: string): Slo {
  const parts = text.split(",").map((part) => part.trim());
  const goodputs = parts.map(goodputOf).filter((fraction) => fraction !== null);
  const latencyParts = parts.filter((part) => goodputOf(part) === null);
  const limits = latencyParts.map(limitOf);
  const wrong = latencyParts.filter((_, i) => limits[i] === null);
  if (wrong.length > 0) throw refusal(wrong.map(wrongPart).join(", "), ALLOWED);
  const known = limits.filter((limit) => limit !== null);
  if (known.length === 0) throw refusal(JSON.stringify(text), ALLOWED);
  const hasRequestLimits = known.some(({ statistic }) => statistic === null);
  const [goodput = null, ...others] = goodputs;
  if (others.length > 0) throw refusal(JSON.stringify(text), "must have one goodput");
  if (goodput !== null && !hasRequestLimits) {
    throw refusal(JSON.stringify(text), "goodput counts requests that keep limits: add one such as ttft<=500ms");
  }
  return { limits: known, goodputFraction: hasRequestLimits ? (goodput ?? DEFAULT_GOODPUT_FRACTION) : null };
}

/** `"p99 tft<=500ms" (did you mean p99 ttft<=500ms?)`. */
function wrongPart(part: string): string {
  const words = { statistics: [...Object.keys(COMPLETED_FRACTION), "median"], latencies: Object.keys(SLO_LATENCIES) };
  const near = nearestLimit(part, words, (text) => limitOf(text) !== null);
  return `${JSON.stringify(part)}${near === null ? "" : ` (did you mean ${near}?)`}`;
}

/** `goodput>=95%` or `goodput>=0.95` as a fraction; null for anything else. */
function goodputOf(part: string): number | null {
  const [, number, percent] = /^goodput\s*>=?\s*(\d+(?:\.\d+)?|\.\d+)\s*(%?)$/i.exec(part) ?? [];
  if (number === undefined) return null;
  const fraction = Number(number) / (percent === "%" ? 100 : 1);
  if (fraction > 0 && fraction <= 1) return fraction;
  throw refusal(JSON.stringify(part), "must be above 0 and at most 1, or a percentage");
}

function limitOf(part: string): SloLimit | null {
  const pattern =
    /^(?:(mean|p50|median|p90|p95|p99)\s+)?(ttft|itl|gap|tpot|e2el?|queue)\s*(?:<=?|:)\s*(\d+(?:\.\d+)?|\.\d+)\s*(ms|s)?$/i;
  const [, statistic, latency, number, unit] = pattern.exec(part)?.map((group) => group?.toLowerCase()) ?? [];
  if (latency === undefined || number === undefined) return null;
  const limitMs = Number(number) * (unit === "s" ? MS_PER_S : 1);
  if (!(limitMs > 0)) return null;
  const named = (latency === "e2el" ? "e2e" : latency) as keyof typeof SLO_LATENCIES;
  const over = statistic === "median" ? "p50" : statistic;
  if (named === "gap" && over === undefined) {
    throw refusal(
      JSON.stringify(part),
      "must be over the run, as p99 gap<=100ms: of single requests gaps are not kept",
    );
  }
  return { latency: SLO_LATENCIES[named], statistic: (over ?? null) as SloStatistic | null, limitMs };
}

function refusal(received: string, allowed: string): ConfigError {
  return new ConfigError([{ path: "--slo", received, allowed }]);
}

/** `TTFT`, `gap`. */
export function latencyName(latency: SloLatency): string {
  const word = latency.slice(0, -2);
  return latency === "gapMs" ? word : word.toUpperCase();
}

/** `p99 TTFT`, `TTFT of a request`. */
export function sloName({ latency, statistic }: Pick<SloLimit, "latency" | "statistic">): string {
  const name = latencyName(latency);
  return statistic === null ? `${name} of a request` : `${statistic} ${name}`;
}

/**
 * Share of a run's requests that must have completed for a statistic of them to say something of all; of a percentile, the
 * share that must keep the limit.
 */
export function neededFraction(statistic: SloStatistic): number {
  return COMPLETED_FRACTION[statistic];
}
