import * as z from "zod";

const number = z.number().nullable();
const distribution = z.looseObject({ mean: number, p50: number, p90: number, p99: number });
const count = z.number().int().min(0);
const duration = z.number().min(0);
const fraction = z.number().min(0);

/** What is read of a `roofserve.run/1` result; the rest is left as it is. */
export const comparedSummarySchema = z.looseObject({
  version: z.string(),
  config: z.looseObject({ model: z.string(), gpu: z.string() }),
  requests: z.looseObject({ submitted: count, completed: count, rejected: count, aborted: count, unfinished: count }),
  ttftMs: distribution,
  tpotMs: distribution,
  itlMs: distribution,
  e2eMs: distribution,
  queueMs: distribution,
  throughput: z.looseObject({ requestsPerS: number, promptTokensPerS: number, outputTokensPerS: number }),
  engine: z.looseObject({
    steps: count,
    simulatedS: duration,
    preemptions: count,
    numGpuBlocks: count,
    kvPeakUsedFraction: fraction,
    prefixCacheHitFraction: fraction,
    busyFraction: fraction,
    frontEndBusyFraction: fraction,
  }),
  regime: z.looseObject({ utilisation: fraction }),
  bottleneck: z.record(z.string(), fraction),
});

const optional = duration.nullish();

/** What is read of a row of requests.jsonl. */
export const comparedRequestSchema = z
  .looseObject({
    request_id: z.string(),
    status: z.enum(["completed", "rejected", "aborted", "unfinished"]),
    arrival_s: duration,
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
