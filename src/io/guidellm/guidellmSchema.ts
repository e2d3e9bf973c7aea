import * as z from "zod";

const num = z.number().nullish();
const count = z.number().min(0).nullish();

const percentiles = z.record(z.string(), z.number());

const distributionSchema = z.object({
  mean: z.number(),
  median: z.number(),
  mode: num,
  variance: num,
  std_dev: num,
  min: num,
  max: num,
  count: num,
  total_sum: num,
  percentiles,
});

const groups = <T extends z.ZodType>(inner: T) =>
  z.object({ successful: inner, incomplete: inner.nullish(), errored: inner.nullish(), total: inner.nullish() });

const distributions = groups(distributionSchema);
const counts = groups(z.number().int().min(0));

const timingsSchema = z.object({
  resolve_start: num,
  request_start: num,
  first_token_iteration: num,
  last_token_iteration: num,
  request_iterations: count,
  token_iterations: count,
  request_end: num,
  resolve_end: num,
});

const usageSchema = z.object({ text_tokens: count, total_tokens: count }).nullish();

/** A request since 0.4. */
const requestSchema = z.object({
  request_id: z.string(),
  response_id: z.string().nullish(),
  request_args: z.unknown().optional(),
  info: z.object({ error: z.unknown().optional(), timings: timingsSchema }),
  input_metrics: usageSchema,
  output_metrics: usageSchema,
});

/** A request of 0.3; −1 means "never happened". */
const requestSchemaOld = z.object({
  request_id: z.string().nullish(),
  start_time: z.number(),
  end_time: z.number(),
  first_token_time: num,
  last_token_time: num,
  prompt_tokens: count,
  output_tokens: count,
  error: z.unknown().optional(),
});

const requests = z.array(z.union([requestSchema, requestSchemaOld]));

const strategySchema = z.object({
  type_: z.string().nullish(),
  kind: z.string().nullish(),
  rate: num,
  streams: count,
  max_concurrency: count,
});

const benchmarkSchema = z.object({
  config: z
    .object({ strategy: strategySchema.nullish(), requests: z.unknown().optional(), backend: z.unknown().optional() })
    .nullish(),
  args: z.object({ strategy: strategySchema.nullish() }).nullish(),
  scheduler_metrics: z.object({ measure_start_time: num, measure_end_time: num }).nullish(),
  request_totals: counts.nullish(),
  metrics: z
    .object({
      request_totals: counts.nullish(),
      requests_per_second: distributions.nullish(),
      request_concurrency: distributions.nullish(),
      request_latency: distributions.nullish(),
      request_streaming_iterations_count: distributions.nullish(),
      prompt_token_count: distributions.nullish(),
      output_token_count: distributions.nullish(),
      total_token_count: distributions.nullish(),
      time_to_first_token_ms: distributions.nullish(),
      time_per_output_token_ms: distributions.nullish(),
      inter_token_latency_ms: distributions.nullish(),
      prompt_tokens_per_second: distributions.nullish(),
      output_tokens_per_second: distributions.nullish(),
      tokens_per_second: distributions.nullish(),
    })
    .default({}),
  requests: z.object({ successful: requests, incomplete: requests.nullish(), errored: requests.nullish() }),
  start_time: num,
  end_time: num,
});

/** What is read of a results file of GuideLLM 0.3 … 0.7; keys not listed are ignored. */
export const guidellmReportSchema = z.object({
  metadata: z
    .object({
      version: z.number().nullish(),
      guidellm_version: z.string().nullish(),
      simulated: z.boolean().nullish(),
    })
    .nullish(),
  args: z.unknown().optional(),
  config: z.unknown().optional(),
  benchmarks: z.array(benchmarkSchema).min(1, "at least one benchmark"),
});

export type GuidellmFile = z.output<typeof guidellmReportSchema>;
export type GuidellmFileBenchmark = GuidellmFile["benchmarks"][number];
export type GuidellmFileRequest = GuidellmFileBenchmark["requests"]["successful"][number];
/** Metrics as the file states them; percentile keys as in the file. */
export type GuidellmReportedMetrics = GuidellmFileBenchmark["metrics"];
