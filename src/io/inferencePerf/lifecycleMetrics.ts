import * as z from "zod";
import type { MeasuredAggregates, MeasuredQuantiles } from "../../core/metrics/measuredExperiment.js";
import { MS_PER_S } from "../../core/units/units.js";
import { checkData, readOptionalDataText } from "../dataFile/dataFile.js";
import { parseJson } from "../structuredFile.js";

/** How far the stamp count implied by the means may be off a candidate and still name it. */
const STAMP_TOLERANCE = 0.01;

const dist = z.object({
  mean: z.number(),
  median: z.number().nullish(),
  p90: z.number().nullish(),
  p99: z.number().nullish(),
});

const lifecycleSchema = z.object({
  load_summary: z.object({ count: z.number().int().min(0), requested_rate: z.number().nullish() }),
  successes: z.object({
    count: z.number().int().min(0),
    latency: z
      .object({
        request_latency: dist.nullish(),
        time_to_first_token: dist.nullish(),
        time_per_output_token: dist.nullish(),
      })
      .nullish(),
    throughput: z
      .object({ requests_per_sec: z.number().nullish(), output_tokens_per_sec: z.number().nullish() })
      .nullish(),
  }),
  failures: z.object({ count: z.number().int().min(0) }),
});

/** A stage or summary file of aggregates. */
export interface LifecycleMetrics {
  readonly numRequests: number;
  readonly requestsPerS: number | null;
  readonly aggregates: MeasuredAggregates;
  /** Time stamps the client kept per output, rounded; null when the means do not tell. */
  readonly numStamps: number | null;
}

/**
 * Reads `stage_<k>_lifecycle_metrics.json` or the summary; null when there is no such file.
 * @param outputTokens true output length of every request, or null
 * @throws DataFileError
 */
export function readLifecycleMetrics(file: string, outputTokens: number | null): LifecycleMetrics | null {
  const text = readOptionalDataText(file);
  if (text === null) return null;
  const data = checkData(lifecycleSchema, parseJson(text, file), file, "correct the file or remove it");
  const { successes } = data;
  const e2e = successes.latency?.request_latency ?? null;
  const ttft = successes.latency?.time_to_first_token ?? null;
  const tpot = successes.latency?.time_per_output_token ?? null;
  const numStamps = e2e && ttft && tpot ? countStamps(e2e.mean, ttft.mean, tpot.mean, outputTokens) : null;
  const scale = numStamps === null || outputTokens === null ? null : (numStamps - 1) / (outputTokens - 1);
  return {
    numRequests: data.load_summary.count,
    requestsPerS: data.load_summary.requested_rate ?? null,
    numStamps,
    aggregates: {
      e2eMs: e2e && quantiles(e2e, 1),
      ttftMs: ttft && quantiles(ttft, 1),
      itlMs: tpot && scale !== null ? quantiles(tpot, scale) : null,
      outputTokensPerS: outputRate(successes.throughput ?? null, outputTokens),
      numCompleted: successes.count,
      numFailed: data.failures.count,
    },
  };
}

/**
 * How many time stamps an output of N tokens got: 2N + 2 where the client stamped each line of the stream, the blank
 * ones and `[DONE]` included (releases up to 0.2), N + 2 with one stamp per message (0.3, 0.4), N when it counts tokens.
 * The reported time per token is the decode span over stamps − 1, so the means reveal it.
 * @returns null when no candidate fits within 1 %
 */
export function countStamps(
  e2eMeanS: number,
  ttftMeanS: number,
  tpotMeanS: number,
  outputTokens: number | null,
): number | null {
  if (outputTokens === null || outputTokens < 2 || !(tpotMeanS > 0)) return null;
  const implied = 1 + (e2eMeanS - ttftMeanS) / tpotMeanS;
  let nearest = outputTokens;
  for (const candidate of [outputTokens + 2, 2 * outputTokens + 2]) {
    if (Math.abs(candidate - implied) < Math.abs(nearest - implied)) nearest = candidate;
  }
  return Math.abs(implied / nearest - 1) <= STAMP_TOLERANCE ? nearest : null;
}

function quantiles(seconds: z.output<typeof dist>, scale: number): MeasuredQuantiles {
  const ms = (valueS: number | null | undefined): number | null => (valueS == null ? null : valueS * MS_PER_S * scale);
  return {
    mean: seconds.mean * MS_PER_S * scale,
    p50: ms(seconds.median),
    p90: ms(seconds.p90),
    p99: ms(seconds.p99),
  };
}

/** The reported token rate counts re-tokenised text; requests/s × true length is the real one. */
function outputRate(
  throughput: {
    requests_per_sec?: number | null | undefined;
    output_tokens_per_sec?: number | null | undefined;
  } | null,
  outputTokens: number | null,
): number | null {
  if (outputTokens === null) return throughput?.output_tokens_per_sec ?? null;
  return throughput?.requests_per_sec == null ? null : throughput.requests_per_sec * outputTokens;
}
