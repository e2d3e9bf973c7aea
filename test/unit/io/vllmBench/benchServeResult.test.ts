import { describe, expect, it } from "vitest";
import { simulateTask } from "../../../../src/core/analysis/sweep/sweepTask.js";
import { KeptRequests } from "../../../../src/core/engine/requestSinks.js";
import type { RequestRecord } from "../../../../src/core/metrics/requestRecord.js";
import { loadDeployment } from "../../../../src/io/loadDeployment.js";
import { benchServeResult } from "../../../../src/io/vllmBench/benchServeResult.js";
import { smallConfig } from "../../core/analysis/sweep/smallSweep.js";

const deployment = loadDeployment({ model: "meta-llama/Llama-3.1-8B-Instruct", gpu: "H100" });

function bench(profile: object) {
  const task = { config: smallConfig(profile), benchmarkIndex: 0, point: { label: "", index: 0 }, repetition: 0 };
  const kept = new KeptRequests();
  const { summary } = simulateTask(deployment, task, null, kept);
  const { records } = kept;
  return { summary, records, result: benchServeResult(summary, records) as Record<string, number | string | null> };
}

describe("a vllm bench serve result", () => {
  const { summary, records, result } = bench({ kind: "poisson", rate: 4 });

  it("has the scalars that vLLM saves", () => {
    const scalars = "num_prompts request_rate burstiness max_concurrency duration completed failed total_input_tokens";
    const more = "total_output_tokens request_throughput request_goodput output_throughput total_token_throughput";
    const peaks = "max_output_tokens_per_s max_concurrent_requests date backend model_id tokenizer_id";
    const latencies = ["ttft", "tpot", "itl", "e2el"].flatMap((name) =>
      ["mean", "median", "std", "p99"].map((statistic) => `${statistic}_${name}_ms`),
    );
    for (const key of [scalars, more, peaks].join(" ").split(" ").concat(latencies)) expect(result).toHaveProperty(key);
  });

  it("adds up: rates times duration are the totals", () => {
    const duration = result.duration as number;
    expect((result.request_throughput as number) * duration).toBeCloseTo(12, 9);
    expect((result.output_throughput as number) * duration).toBeCloseTo(result.total_output_tokens as number, 6);
    const tokens = (result.total_input_tokens as number) + (result.total_output_tokens as number);
    expect((result.total_token_throughput as number) * duration).toBeCloseTo(tokens, 6);
    expect(result.total_output_tokens).toBe(96);
    expect(result).toMatchObject({ completed: 12, failed: 0, mean_ttft_ms: summary.ttftMs.mean });
  });

  it("has the ITL of single gaps and the TPOT of requests, as vLLM has", () => {
    const { mean, p50, p99, stddev } = summary.gapMs;
    expect(result).toMatchObject({ mean_itl_ms: mean, median_itl_ms: p50, p99_itl_ms: p99, std_itl_ms: stddev });
    expect(result).toMatchObject({ mean_tpot_ms: summary.tpotMs.mean, p99_tpot_ms: summary.tpotMs.p99 });
    // Someone else's prefill is in a gap or two of a request, and in none of its mean.
    expect(result.p99_itl_ms).toBeGreaterThan(summary.itlMs.p99 as number);
  });

  it("counts the busiest second, tokens and requests", () => {
    const one = (arrivalUs: number, firstTokenUs: number, lastTokenUs: number, numOutputTokens: number) =>
      ({ ...records[0], arrivalUs, firstTokenUs, lastTokenUs, numOutputTokens }) as RequestRecord;
    const made = [
      one(0, 500_000, 1_500_000, 11),
      one(900_000, 1_100_000, 1_100_000, 1),
      one(5_000_000, 5_100_000, 5_200_000, 2),
    ];
    // Tokens of the first at 0.5, 0.6 … 1.5 s: five in second 0, six in second 1, and the one of the second.
    expect(benchServeResult(summary, made)).toMatchObject({ max_output_tokens_per_s: 7, max_concurrent_requests: 2 });
  });

  it.each([
    [
      { kind: "constant", rate: 4 },
      { request_rate: 4, burstiness: "inf", max_concurrency: null },
    ],
    [
      { kind: "gamma", rate: 4, burstiness: 0.5 },
      { request_rate: 4, burstiness: 0.5 },
    ],
    [
      { kind: "concurrent", streams: 3 },
      { request_rate: "inf", max_concurrency: 3 },
    ],
    [{ kind: "synchronous" }, { request_rate: "inf", max_concurrency: 1 }],
    [{ kind: "throughput" }, { request_rate: "inf", max_concurrency: 512 }],
  ])("says how the client sent: %j", (profile, expected) => {
    expect(bench(profile).result).toMatchObject(expected);
  });
});
