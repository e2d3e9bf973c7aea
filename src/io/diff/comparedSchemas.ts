import * as z from "zod";

const number = z.number().nullable();
const distribution = z.looseObject({ mean: number, p50: number, p90: number, p99: number });
const count = z.number().int().min(0);
const amount = z.number().min(0);

/** Of a run, or means over seeds: counts need not be integers. */
const numbers = {
  requests: z.looseObject({
    submitted: amount,
    completed: amount,
    rejected: amount,
    aborted: amount,
    unfinished: amount,
  }),
  ttftMs: distribution,
  tpotMs: distribution,
  itlMs: distribution,
  /** Results of before there was one have none. */
  gapMs: distribution.default({ mean: null, p50: null, p90: null, p99: null }),
  e2eMs: distribution,
  queueMs: distribution,
  throughput: z.looseObject({ requestsPerS: number, promptTokensPerS: number, outputTokensPerS: number }),
  engine: z.looseObject({
    steps: amount,
    simulatedS: amount,
    preemptions: amount,
    numGpuBlocks: amount,
    kvPeakUsedFraction: amount,
    prefixCacheHitFraction: amount,
    busyFraction: amount,
    frontEndBusyFraction: amount,
  }),
  regime: z.looseObject({ utilisation: amount, limitedFraction: amount }),
};

/** What is read of a `roofserve.run/1` result; the rest is left as it is. */
export const comparedSummarySchema = z.looseObject({
  version: z.string(),
  config: z.looseObject({ model: z.string(), gpu: z.string() }),
  ...numbers,
  bottleneck: z.record(z.string(), amount),
});

const place = {
  label: z.string(),
  varied: z.record(z.string(), z.unknown()),
  strategy: z.string(),
  rate: number,
  streams: number,
  benchmarkIndex: count,
};

/** What is read of a `roofserve.sweep/1` result, but for the numbers of its points. */
export const comparedSweepSchema = z.looseObject({
  version: z.string(),
  config: z.looseObject({}),
  grid: z.looseObject({ seeds: z.array(count) }),
  points: z.array(z.looseObject({ ...place, error: z.string().nullable() })),
});

const interval = z.looseObject({ low: z.number(), high: z.number() }).nullable();

/** What is read of the numbers of a point that was measured. */
export const comparedPointSchema = z.looseObject({
  ...numbers,
  seedIntervals: z.looseObject({ intervals: z.record(z.string(), z.record(z.string(), interval)) }).nullable(),
  /** Results of before they were kept have none. */
  seedValues: z.record(z.string(), z.array(number)).nullish(),
});

const server = z.discriminatedUnion("isFeasible", [
  z.looseObject({
    isFeasible: z.literal(true),
    label: z.string(),
    highestRatePerS: amount,
    replicas: count,
    gpus: count,
    usdPerHour: number,
    usdPerMOutputTokens: number,
    rateInterval: interval,
  }),
  z.looseObject({ isFeasible: z.literal(false), label: z.string(), reason: z.string() }),
]);

/** What is read of a `roofserve.plan/1` result. */
export const comparedPlanSchema = z.looseObject({
  version: z.string(),
  config: z.looseObject({}),
  slo: z.looseObject({
    limits: z.array(z.looseObject({ latency: z.string(), statistic: z.string().nullable(), limitMs: z.number() })),
    goodputFraction: number,
  }),
  targetRequestsPerS: number,
  seeds: z.array(count),
  best: z.string().nullable(),
  plans: z.array(server),
  prices: z.array(z.looseObject({ gpu: z.string(), usdPerGpuHour: amount })),
});

const optional = amount.nullish();

/** What is read of a row of requests.jsonl. */
export const comparedRequestSchema = z
  .looseObject({
    request_id: z.string(),
    status: z.enum(["completed", "rejected", "aborted", "unfinished"]),
    arrival_s: amount,
    prompt_tokens: count,
    output_tokens: count,
    max_tokens: count.nullish(),
    ttft_ms: optional,
    prefill_ms: optional,
    itl_ms: optional,
    e2e_s: optional,
  })
  .refine((row) => row.status !== "completed" || [row.ttft_ms, row.prefill_ms, row.e2e_s].every(Number.isFinite), {
    path: ["status"],
    message: "must not be completed without ttft_ms, prefill_ms and e2e_s",
  });
