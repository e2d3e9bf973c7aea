import type { RunSummary } from "../../core/engine/simulate.js";
import type { Distribution } from "../../core/metrics/distribution.js";
import { RecordColumns } from "../../core/metrics/recordColumns.js";
import type { RequestRecord } from "../../core/metrics/requestRecord.js";
import { US_PER_S } from "../../core/units/units.js";
import type { ArrivalProfile } from "../../core/workload/arrivalConfig.js";

/** The instant of every simulated run, as `vllm bench serve` writes dates: equal runs give equal files. */
const DATE = "20231114-221320";

/** Percentiles listed, as `--metric-percentiles 50,90,95,99` does. */
const PERCENTILES = ["p50", "p90", "p95", "p99"] as const;

/**
 * A run as `vllm bench serve --save-result --percentile-metrics ttft,tpot,itl,e2el` would have saved it, marked as
 * simulated: latencies in ms, rates over the time from the first request to the last token. TPOT is of each request its
 * mean gap, ITL every single gap; vLLM leaves out those of failed requests, here those a client saw before it gave up count.
 * The arrays of `--save-detailed` are left out: a simulated request keeps its first and last token, and gaps are counted.
 * @see vLLM vllm/benchmarks/serve.py:calculate_metrics
 */
export function benchServeResult(summary: RunSummary, records: readonly RequestRecord[]): object {
  const { config, requests, throughput } = summary;
  const completed = records.filter(({ status }) => status === "completed");
  const durationS = RecordColumns.of(records).spanUs / US_PER_S;
  const total = (tokens: (record: RequestRecord) => number) => completed.reduce((sum, r) => sum + tokens(r), 0);
  const { promptTokensPerS, outputTokensPerS } = throughput;
  return {
    date: DATE,
    backend: "roofserve",
    model_id: config.model,
    tokenizer_id: config.model,
    num_prompts: requests.submitted,
    ...clientOf(config.workload.profile),
    simulated: true,
    simulator: { name: "roofserve", version: summary.version, seed: config.seed },
    duration: durationS,
    completed: requests.completed,
    failed: requests.submitted - requests.completed,
    total_input_tokens: total(({ numPromptTokens }) => numPromptTokens),
    total_output_tokens: total(({ numOutputTokens }) => numOutputTokens),
    request_throughput: throughput.requestsPerS,
    request_goodput: null,
    output_throughput: outputTokensPerS,
    total_token_throughput: promptTokensPerS === null ? null : promptTokensPerS + (outputTokensPerS ?? 0),
    ...peaks(completed),
    ...statistics("ttft", summary.ttftMs),
    ...statistics("tpot", summary.tpotMs),
    ...statistics("itl", summary.gapMs),
    ...statistics("e2el", summary.e2eMs),
  };
}

/** How the client sent: `request_rate` "inf" = as fast as `max_concurrency` lets it. */
function clientOf(profile: ArrivalProfile) {
  const requestRate = "rate" in profile ? profile.rate : "inf";
  switch (profile.kind) {
    case "gamma":
      return { request_rate: requestRate, burstiness: profile.burstiness, max_concurrency: null };
    case "constant":
      return { request_rate: requestRate, burstiness: "inf", max_concurrency: null };
    case "concurrent":
      return { request_rate: requestRate, burstiness: 1, max_concurrency: profile.streams };
    case "synchronous":
      return { request_rate: requestRate, burstiness: 1, max_concurrency: 1 };
    case "throughput":
      return { request_rate: requestRate, burstiness: 1, max_concurrency: profile.maxConcurrency };
    default:
      return { request_rate: requestRate, burstiness: 1, max_concurrency: null };
  }
}

function statistics(name: string, values: Distribution): Record<string, number | null> {
  return {
    [`mean_${name}_ms`]: values.mean,
    [`median_${name}_ms`]: values.p50,
    [`std_${name}_ms`]: values.stddev,
    ...Object.fromEntries(PERCENTILES.map((percentile) => [`${percentile}_${name}_ms`, values[percentile]])),
  };
}

/**
 * The busiest second's tokens and requests, in seconds counted from the first arrival; a request counts in every second
 * it touches, and its tokens are spread evenly from the first to the last.
 * @see vLLM vllm/benchmarks/serve.py:calculate_metrics
 */
function peaks(completed: readonly RequestRecord[]) {
  const startUs = completed.reduce((least, { arrivalUs }) => Math.min(least, arrivalUs), Number.POSITIVE_INFINITY);
  const second = (timeUs: number) => Math.floor((timeUs - startUs) / US_PER_S);
  const endSecond = completed.reduce((most, { lastTokenUs }) => Math.max(most, second(lastTokenUs)), -1);
  const tokens = new Float64Array(endSecond + 1);
  const active = new Float64Array(endSecond + 1);
  for (const { arrivalUs, firstTokenUs, lastTokenUs, numOutputTokens } of completed) {
    for (let s = second(arrivalUs); s <= second(lastTokenUs); s++) active[s]! += 1;
    const gapUs = numOutputTokens > 1 ? (lastTokenUs - firstTokenUs) / (numOutputTokens - 1) : 0;
    for (let i = 0; i < numOutputTokens; i++) tokens[Math.min(endSecond, second(firstTokenUs + i * gapUs))]! += 1;
  }
  const most = (counts: Float64Array) => counts.reduce((a, b) => Math.max(a, b), 0);
  return { max_output_tokens_per_s: most(tokens), max_concurrent_requests: most(active) };
}
