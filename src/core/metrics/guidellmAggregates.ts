import { type GuidellmDistribution, guidellmDistribution } from "./guidellmDistribution.js";
import { concurrencyDistribution, type MeasureWindow, rateDistribution } from "./guidellmRates.js";
import type { WeightedValues } from "./weightedValues.js";

/** Token-rate distributions walk every token; beyond this many, tokens are bundled (means stay exact). */
const MAX_TOKEN_EVENTS = 2_000_000;

export const GUIDELLM_STATUSES = ["successful", "incomplete", "errored"] as const;
export type GuidellmStatus = (typeof GUIDELLM_STATUSES)[number];

/** A request as GuideLLM records it: Unix seconds, NaN where it never happened; token counts null when unknown. */
export interface GuidellmRecord {
  readonly requestId: string;
  /** The server's id of the response, which its OTel spans carry too. */
  readonly responseId: string | null;
  readonly status: GuidellmStatus;
  readonly requestStartS: number;
  readonly firstTokenS: number;
  readonly lastTokenS: number;
  readonly requestEndS: number;
  /** When the worker was done with it; stands in for a missing `requestEndS`. */
  readonly resolveEndS: number;
  readonly promptTokens: number | null;
  readonly outputTokens: number | null;
  /** Stream chunks with tokens. */
  readonly tokenIterations: number;
  /** Stream chunks of any kind. */
  readonly requestIterations: number;
}

/** One value per status group, and one over all of them. */
export type GuidellmGroups<T> = Readonly<Record<GuidellmStatus | "total", T>>;

/** GuideLLM's aggregates, under its own names. `successful` is the group to read: others contain coerced zeros. */
export interface GuidellmAggregates {
  readonly request_totals: GuidellmGroups<number>;
  readonly requests_per_second: GuidellmGroups<GuidellmDistribution>;
  readonly request_concurrency: GuidellmGroups<GuidellmDistribution>;
  readonly request_latency: GuidellmGroups<GuidellmDistribution>;
  readonly request_streaming_iterations_count: GuidellmGroups<GuidellmDistribution>;
  readonly prompt_token_count: GuidellmGroups<GuidellmDistribution>;
  readonly output_token_count: GuidellmGroups<GuidellmDistribution>;
  readonly total_token_count: GuidellmGroups<GuidellmDistribution>;
  readonly time_to_first_token_ms: GuidellmGroups<GuidellmDistribution>;
  readonly time_per_output_token_ms: GuidellmGroups<GuidellmDistribution>;
  readonly inter_token_latency_ms: GuidellmGroups<GuidellmDistribution>;
  readonly prompt_tokens_per_second: GuidellmGroups<GuidellmDistribution>;
  readonly output_tokens_per_second: GuidellmGroups<GuidellmDistribution>;
  readonly tokens_per_second: GuidellmGroups<GuidellmDistribution>;
}

/**
 * Aggregates records by GuideLLM's definitions (≥ 0.4). Requests that do not touch the window are left out.
 * Note its names: `inter_token_latency_ms` is (last − first)/(N − 1) weighted with N − 1, and
 * `time_per_output_token_ms` is (last − start)/N weighted with N, so it contains the TTFT.
 */
export function guidellmAggregates(records: readonly GuidellmRecord[], window: MeasureWindow): GuidellmAggregates {
  const inWindow = records.filter((r) => !(endS(r) < window.startS) && !(r.requestStartS > window.endS));
  const groups = (compute: (group: readonly GuidellmRecord[]) => GuidellmDistribution) =>
    computeGroups(inWindow, compute);
  const values = (value: (r: GuidellmRecord) => number, weight?: (r: GuidellmRecord) => number) =>
    groups((group) =>
      guidellmDistribution({
        values: Float64Array.from(group, (r) => value(r) || 0),
        weights: weight === undefined ? null : Float64Array.from(group, weight),
      }),
    );
  const outputTokens = (r: GuidellmRecord): number => r.outputTokens ?? 0;
  const promptTokens = (r: GuidellmRecord): number => r.promptTokens ?? 0;
  return {
    request_totals: computeGroups(inWindow, (group) => group.length),
    requests_per_second: groups((group) => rateDistribution(unweighted(group.map(endS)), window)),
    request_concurrency: groups((group) => {
      const timed = group.filter((r) => !Number.isNaN(r.requestStartS) && !Number.isNaN(endS(r)));
      const starts = Float64Array.from(timed, (r) => r.requestStartS);
      return concurrencyDistribution(starts, Float64Array.from(timed, endS), window);
    }),
    request_latency: values((r) => r.requestEndS - r.requestStartS),
    request_streaming_iterations_count: values((r) => r.requestIterations),
    prompt_token_count: values(promptTokens),
    output_token_count: values(outputTokens),
    total_token_count: values((r) => promptTokens(r) + outputTokens(r)),
    time_to_first_token_ms: values((r) => 1000 * (r.firstTokenS - r.requestStartS)),
    time_per_output_token_ms: values(timePerOutputTokenMs, outputTokens),
    inter_token_latency_ms: values(interTokenLatencyMs, (r) => Math.max(outputTokens(r) - 1, 0)),
    prompt_tokens_per_second: groups((group) => rateDistribution(promptEvents(group), null)),
    output_tokens_per_second: groups((group) => rateDistribution(outputEvents(group), null)),
    tokens_per_second: groups((group) => rateDistribution(joinEvents(promptEvents(group), outputEvents(group)), null)),
  };
}

/** GuideLLM's TPOT of one request: (last − start)/N, ms; NaN without tokens. */
export function timePerOutputTokenMs(record: GuidellmRecord): number {
  const lastS = Number.isNaN(record.lastTokenS) ? endS(record) : record.lastTokenS;
  return record.outputTokens ? (1000 * (lastS - record.requestStartS)) / record.outputTokens : Number.NaN;
}

/** GuideLLM's ITL of one request: (last − first)/(N − 1), ms; NaN below two tokens. */
export function interTokenLatencyMs(record: GuidellmRecord): number {
  const numGaps = (record.outputTokens ?? 0) - 1;
  return numGaps > 0 ? (1000 * (record.lastTokenS - record.firstTokenS)) / numGaps : Number.NaN;
}

function endS(record: GuidellmRecord): number {
  return Number.isNaN(record.requestEndS) ? record.resolveEndS : record.requestEndS;
}

function computeGroups<T>(
  records: readonly GuidellmRecord[],
  compute: (group: readonly GuidellmRecord[]) => T,
): GuidellmGroups<T> {
  const of = (status: GuidellmStatus): readonly GuidellmRecord[] => records.filter((r) => r.status === status);
  const [successful, incomplete, errored] = GUIDELLM_STATUSES.map(of) as [
    readonly GuidellmRecord[],
    readonly GuidellmRecord[],
    readonly GuidellmRecord[],
  ];
  const ofSuccessful = compute(successful);
  return {
    successful: ofSuccessful,
    incomplete: compute(incomplete),
    errored: compute(errored),
    total: successful.length === records.length ? ofSuccessful : compute([...successful, ...incomplete, ...errored]),
  };
}

function unweighted(values: readonly number[]): WeightedValues {
  return { values: Float64Array.from(values.filter((value) => !Number.isNaN(value))), weights: null };
}

/** All prompt tokens of a request count at its first token. */
function promptEvents(records: readonly GuidellmRecord[]): WeightedValues {
  const timed = records.filter((r) => !Number.isNaN(promptTimeS(r)));
  return {
    values: Float64Array.from(timed, promptTimeS),
    weights: Float64Array.from(timed, (r) => r.promptTokens ?? 0),
  };
}

function promptTimeS(record: GuidellmRecord): number {
  return Number.isNaN(record.firstTokenS) ? endS(record) : record.firstTokenS;
}

/** One token at the first time stamp, the others spread evenly up to the last, as many stamps as chunks. */
function outputEvents(records: readonly GuidellmRecord[]): WeightedValues {
  let numEvents = 0;
  for (const record of records) numEvents += Math.max(record.tokenIterations, 1);
  const bundle = Math.max(1, Math.ceil(numEvents / MAX_TOKEN_EVENTS));
  // Of each request the first event, and one per bundle of the others, the last of which need not be full.
  const times = new Float64Array(Math.ceil(numEvents / bundle) + 2 * records.length);
  const weights = new Float64Array(times.length);
  let count = 0;
  let isPlain = true;
  for (const record of records) {
    const tokens = record.outputTokens ?? 0;
    const isSpread = record.tokenIterations > 1 && !Number.isNaN(record.firstTokenS + record.lastTokenS);
    if (!isSpread) {
      const timeS = Number.isNaN(record.lastTokenS) ? endS(record) : record.lastTokenS;
      if (Number.isNaN(timeS)) continue;
      times[count] = timeS;
      weights[count++] = tokens;
      isPlain &&= tokens === 1;
      continue;
    }
    times[count] = record.firstTokenS;
    weights[count++] = tokens > 0 ? 1 : 0;
    const numSteps = Math.ceil((record.tokenIterations - 1) / bundle);
    const tokensPerStep = Math.max(tokens - 1, 0) / numSteps;
    isPlain &&= tokensPerStep === 1;
    for (let step = 1; tokens > 1 && step <= numSteps; step++) {
      times[count] = record.firstTokenS + ((record.lastTokenS - record.firstTokenS) * step) / numSteps;
      weights[count++] = tokensPerStep;
    }
  }
  return { values: times.subarray(0, count), weights: isPlain ? null : weights.subarray(0, count) };
}

function joinEvents(a: WeightedValues, b: WeightedValues): WeightedValues {
  const values = new Float64Array(a.values.length + b.values.length);
  values.set(a.values);
  values.set(b.values, a.values.length);
  const weights = new Float64Array(values.length).fill(1);
  if (a.weights !== null) weights.set(a.weights);
  if (b.weights !== null) weights.set(b.weights, a.values.length);
  return { values, weights };
}
