import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { engineConfigSchema } from "../../src/core/config/engineConfig.js";
import { pricingConfigSchema } from "../../src/core/config/pricingConfig.js";
import { runConfigSchema } from "../../src/core/engine/runConfig.js";
import { temporaryFolder } from "../reference/temporaryFile.js";
import { experimentFolder } from "../unit/io/inferencePerf/inferencePerfFolder.js";
import { ensureBuilt, spawnCli } from "./builtCli.js";
import { callCli } from "./cliCall.js";

/** Keys of the JSON contracts; a key may be added with a version's changelog, none may be renamed. */
const n = z.number().finite();
const nullable = n.nullable();
const fraction = n.min(0).max(1);
const distribution = z.strictObject({
  mean: nullable,
  p50: nullable,
  p90: nullable,
  p95: nullable,
  p99: nullable,
  min: nullable,
  max: nullable,
  stddev: nullable,
  count: n.int().min(0),
});
const label = z.enum(["below", "near", "past"]);
const regime = z.strictObject({
  label,
  closedLoop: z.boolean(),
  utilisation: fraction,
  sharedFraction: fraction,
  limitedFraction: fraction,
  queueGrowth: nullable,
});
const seenErrors = z.strictObject({ numRuns: n, e2eMeanApe: n, e2eMeanApeMax: n, ttftMeanApe: n, itlMeanApe: n });
const interval = z.strictObject({ low: n, high: n });
const latencyIntervals = z.strictObject({ mean: interval, p50: interval, p90: interval, p99: interval });
const latencyMedians = z.strictObject({ mean: n, p50: n, p90: n, p99: n });
const uncertainty = z.strictObject({
  level: z.literal(0.8),
  draws: n.int(),
  intervals: z.strictObject({
    ttftMs: latencyIntervals,
    tpotMs: latencyIntervals,
    itlMs: latencyIntervals,
    gapMs: latencyIntervals,
    e2eMs: latencyIntervals,
    throughput: z.strictObject({ requestsPerS: interval, outputTokensPerS: interval }),
  }),
  medians: z.strictObject({
    ttftMs: latencyMedians,
    tpotMs: latencyMedians,
    itlMs: latencyMedians,
    gapMs: latencyMedians,
    e2eMs: latencyMedians,
    throughput: z.strictObject({ requestsPerS: n, outputTokensPerS: n }),
  }),
  sources: z.array(z.string()).min(3),
});
const run = z.strictObject({
  schema: z.literal("roofserve.run/1"),
  version: z.string(),
  config: runConfigSchema,
  requests: z.strictObject({ submitted: n, completed: n, rejected: n, aborted: n, unfinished: n }),
  ttftMs: distribution,
  tpotMs: distribution,
  itlMs: distribution,
  gapMs: distribution,
  e2eMs: distribution,
  queueMs: distribution,
  throughput: z.strictObject({ requestsPerS: nullable, promptTokensPerS: nullable, outputTokensPerS: nullable }),
  engine: z.strictObject({
    steps: n.int(),
    simulatedS: n,
    preemptions: n.int(),
    numGpuBlocks: n.int(),
    kvPeakUsedFraction: fraction,
    prefixCacheHitFraction: fraction,
    busyFraction: fraction,
    frontEndBusyFraction: fraction,
  }),
  regime: regime.extend({ seenErrors: seenErrors.nullable() }),
  uncertainty: uncertainty.optional(),
  notes: z.array(z.string()),
  bottleneck: z.record(z.string(), fraction),
});
const step = z.strictObject({
  schema: z.literal("roofserve.step/1"),
  stepUs: n,
  gpuUs: n,
  cpuUs: n.min(0),
  numTokens: n.int(),
  paddedTokens: n.int(),
  components: z
    .array(
      z.strictObject({
        name: z.string(),
        category: z.string(),
        us: n.min(0),
        count: n.int().min(1),
        flops: n.min(0),
        bytes: n.min(0),
        boundBy: z.enum(["compute", "memory", "launch", "network", "wait"]),
        efficiency: n.min(0).max(1).nullable(),
        source: z.string(),
        lookup: z.enum(["interpolated", "extrapolated", "nearest", "formula"]).nullable(),
        lnDistance: n.min(0),
      }),
    )
    .min(5),
});
const comparison = z.strictObject({ measured: nullable, predicted: nullable, ape: nullable });
const comparisons = z.strictObject({ mean: comparison, p50: comparison, p90: comparison, p99: comparison });
const errors = z.strictObject({ mean: nullable, median: nullable, max: nullable });
const breakdownBy = z.enum(["phase", "batch", "context", "load"]);
const groupError = z.strictObject({
  group: z.string(),
  metric: z.enum(["ttftMs", "decodeMs", "e2eMs"]),
  from: nullable,
  numRequests: n.int(),
  measuredMs: nullable,
  predictedMs: nullable,
  errorPercent: nullable,
  mapePercent: nullable,
});
const breakdown = z.strictObject({ by: breakdownBy, groups: z.array(groupError).min(2) });
const combinedBreakdown = z.strictObject({
  by: breakdownBy,
  groups: z.array(groupError.extend({ numRuns: n.int(), meanApe: nullable })).min(2),
});
const errorsByMetric = {
  e2eMeanApe: errors,
  e2eP99Ape: errors,
  ttftMeanApe: errors,
  ttftP50Ape: errors,
  ttftP99Ape: errors,
  itlMeanApe: errors,
};
const regimeErrors = z.strictObject({ numRuns: n.int(), ...errorsByMetric });
const comparedNames = [
  ...["e2eMs", "ttftMs", "itlMs"].flatMap((latency) =>
    ["mean", "p50", "p90", "p99"].map((statistic) => `${latency}.${statistic}`),
  ),
  "outputTokensPerS",
];
const coverage = z.strictObject({
  numIntervals: n.int(),
  numCovered: n.int(),
  coveredFraction: fraction.nullable(),
  meanRelativeWidth: nullable,
});
const coverageSummary = z.strictObject({
  level: z.literal(0.8),
  draws: n.int(),
  all: coverage,
  runs: z.strictObject({ numRuns: n.int(), numAllCovered: n.int() }),
  headline: coverage,
  byRegime: z.strictObject({ below: coverage, near: coverage, past: coverage, closedLoop: coverage }),
  byNumber: z.record(z.enum(comparedNames), coverage),
});
const predictionIntervals = z.record(z.enum(comparedNames), interval.extend({ covers: z.boolean() }).nullable());
const evaluation = z.strictObject({
  schema: z.literal("roofserve.evaluate/1"),
  pricing: pricingConfigSchema,
  benchData: z.string().nullable(),
  experiments: z
    .array(
      z.strictObject({
        name: z.string(),
        model: z.string(),
        gpu: z.string(),
        tensorParallelSize: n.int(),
        numRequests: n.int(),
        numCompared: n.int(),
        excluded: z.string().nullable(),
        regime,
        uncertainty: z.strictObject({ draws: n.int(), intervals: predictionIntervals }).optional(),
        metrics: z.strictObject({
          e2eMs: comparisons,
          ttftMs: comparisons,
          itlMs: comparisons,
          outputTokensPerS: comparison,
        }),
        perRequest: z.strictObject({ e2eMape: nullable, ttftMape: nullable }),
        breakdown: breakdown.optional(),
      }),
    )
    .min(1),
  summary: z.strictObject({
    ...errorsByMetric,
    byRegime: z.strictObject({ below: regimeErrors, near: regimeErrors, past: regimeErrors, closedLoop: regimeErrors }),
    coverage: coverageSummary.optional(),
    breakdown: combinedBreakdown.optional(),
  }),
});
const timeShare = { us: n.min(0), fraction };
const stepGroup = { ...timeShare, steps: n.int().min(1), meanUs: n.min(0), tokens: n.int() };
const meanAndPeak = z.strictObject({ mean: n, peak: n });
const bound = z.enum(["compute", "memory", "launch", "network", "wait"]);
const explained = z.strictObject({
  schema: z.literal("roofserve.explain/1"),
  model: z.string(),
  gpu: z.string(),
  tensorParallelSize: n.int(),
  stepModel: z.string(),
  steps: n.int(),
  gpuUs: n,
  spanUs: n,
  busyFraction: n,
  components: z.array(
    z.strictObject({
      name: z.string(),
      category: z.string(),
      steps: n.int(),
      ...timeShare,
      boundUs: z.partialRecord(bound, n),
    }),
  ),
  bounds: z.array(z.strictObject({ bound, ...timeShare })),
  phases: z.array(z.strictObject({ phase: z.enum(["prefill-only", "decode-only", "mixed"]), ...stepGroup })),
  batchSizes: z.array(z.strictObject({ requests: z.strictObject({ from: n.int(), to: n.int() }), ...stepGroup })),
  load: z.strictObject({
    kvFraction: meanAndPeak,
    running: meanAndPeak,
    waiting: meanAndPeak,
    preemptions: n.int(),
    slices: z.array(
      z.strictObject({ startUs: n, endUs: n, gpuUs: n, kvFraction: nullable, running: nullable, waiting: nullable }),
    ),
  }),
  lookups: z.array(
    z.strictObject({
      kind: z.enum(["interpolated", "extrapolated", "nearest", "formula"]),
      prices: n.int(),
      priceFraction: fraction,
      ...timeShare,
    }),
  ),
  sources: z.array(z.strictObject({ source: z.enum(["measured", "modelled", "transferred"]), ...timeShare })),
  farthest: z
    .strictObject({
      component: z.string(),
      kind: z.enum(["extrapolated", "nearest"]),
      lnDistance: n,
      startUs: n,
    })
    .nullable(),
});
const models = z.strictObject({
  schema: z.literal("roofserve.models/1"),
  models: z.array(
    z.strictObject({
      id: z.string(),
      parameters: n,
      activeParameters: n,
      layers: n,
      hiddenSize: n,
      vocabSize: n,
      maxModelLen: n,
      weightDtype: z.string(),
      source: z.string(),
    }),
  ),
});
const gpus = z.strictObject({
  schema: z.literal("roofserve.gpus/1"),
  gpus: z.array(z.looseObject({ id: z.string(), name: z.string() })),
  kernels: z.record(z.string(), z.enum(["fitted", "transferred"])),
});
const benchData = z.strictObject({
  schema: z.literal("roofserve.bench-data/1"),
  sha256: z.string().length(64),
  coverage: z.array(
    z.strictObject({
      gpu: z.string(),
      family: z.string(),
      numFiles: n,
      numRows: n,
      shapes: z.array(z.string()),
      dtypes: z.array(z.string()),
      sources: z.array(z.string()),
    }),
  ),
});

async function jsonOf(...args: string[]): Promise<unknown> {
  const { exitCode, stdout, stderr } = await callCli(...args, "--format", "json");
  expect(stderr).not.toContain("roofserve:");
  expect(exitCode).toBe(0);
  return JSON.parse(stdout);
}

const { folder, write } = temporaryFolder();
const FEW = ["--max-requests", "20"];

describe("JSON contracts, key for key", () => {
  test("run", async () => {
    const result = run.parse(await jsonOf("run", ...FEW));
    expect(result.requests.submitted).toBe(20);
    expect(result.config.engine).toStrictEqual(engineConfigSchema.parse(result.config.engine));
    expect(Object.values(result.bottleneck).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 6);
  });

  test("step: the components add up to the GPU's time", async () => {
    const result = step.parse(await jsonOf("step", "--batch", "decode:32@1024,prefill:512@0"));
    expect(result.components.reduce((sum, { us }) => sum + us, 0)).toBeCloseTo(result.gpuUs, 6);
    expect(result.stepUs).toBeCloseTo(result.gpuUs + result.cpuUs, 6);
    expect(result.numTokens).toBe(544);
  });

  test("run and step of latent attention: its operators, and the blocks its kernels ask for", async () => {
    const server = ["-m", "deepseek-ai/DeepSeek-V2-Lite", "-g", "H200"];
    const result = run.parse(await jsonOf("run", ...server, "--rate", "4", "--max-requests", "20"));
    expect(result.requests.completed).toBe(20);
    expect(result.config.engine.blockSize).toBe(64);
    const { components } = step.parse(await jsonOf("step", ...server, "--batch", "decode:8@2048,prefill:512@1024"));
    const names = components.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["q_proj", "kv_a_proj", "kv_b_proj", "context_kv_b_proj"]));
    expect(names).toEqual(expect.arrayContaining(["w_uk_bmm", "attention_decode", "w_uv_bmm", "attention_prefill"]));
  });

  test("evaluate", async () => {
    const folder = experimentFolder();
    const result = evaluation.parse(await jsonOf("evaluate", folder, "--model", "meta-llama/Llama-2-7b-hf"));
    expect(result.experiments[0]).toMatchObject({ tensorParallelSize: 2, numRequests: 8, gpu: "H100" });
  });

  test("run --uncertainty adds intervals about the same numbers, and the same ones again", async () => {
    const given = ["run", ...FEW, "--uncertainty"];
    const [plain, first, again] = [await jsonOf("run", ...FEW), await jsonOf(...given), await jsonOf(...given)];
    const { uncertainty: found, ...rest } = run.parse(first);
    expect(rest).toEqual(run.parse(plain));
    expect(found?.draws).toBe(20);
    expect(again).toEqual(first);
    for (const name of ["mean", "p50", "p90", "p99"] as const) {
      expect(found!.intervals.ttftMs[name].low).toBeLessThanOrEqual(rest.ttftMs[name]!);
      expect(found!.intervals.ttftMs[name].high).toBeGreaterThanOrEqual(rest.ttftMs[name]!);
    }
  });

  test("evaluate --uncertainty adds intervals to each run, and what they cover to the summary", async () => {
    const given = ["evaluate", experimentFolder(), "--model", "meta-llama/Llama-2-7b-hf", "--uncertainty=9"];
    const { experiments, summary } = evaluation.parse(await jsonOf(...given));
    expect(experiments[0]?.uncertainty?.draws).toBe(9);
    expect(summary.coverage?.all.numIntervals).toBe(comparedNames.length);
    const { stdout } = await callCli(...given);
    expect(stdout).toMatch(/^TTFT p90 ms +[01] of 1 /m);
    expect(stdout).not.toContain("ttftMs");
  });

  test.for(["phase", "batch", "context", "load"] as const)("evaluate --breakdown %s", async (by) => {
    const folder = experimentFolder();
    const given = ["evaluate", folder, "--model", "meta-llama/Llama-2-7b-hf"];
    const [plain, grouped] = [await jsonOf(...given), await jsonOf(...given, "--breakdown", by)].map((result) =>
      evaluation.parse(result),
    );
    const { breakdown: found, ...rest } = grouped!.experiments[0]!;
    expect(rest).toEqual(plain!.experiments[0]);
    expect(found?.by).toBe(by);
    const ttft = found!.groups.filter(({ metric }) => metric === "ttftMs");
    expect(ttft.reduce((sum, { numRequests }) => sum + numRequests, 0)).toBe(rest.numCompared);
    if (by === "load") expect(ttft.map(({ group }) => group)).toEqual(["1 requests/s"]);
    const { stdout } = await callCli(...given, "--breakdown", by);
    expect(stdout.split(`by ${by} `)).toHaveLength(2);
  });

  test("explain: shares add up to the steps that run --step-log wrote", async () => {
    const log = join(folder, "steps.jsonl");
    const plain = await callCli("run", ...FEW, "--format", "json");
    const logged = await callCli("run", ...FEW, "--format", "json", "--step-log", log);
    expect(logged.stdout).toBe(plain.stdout);
    expect(logged.stderr).toContain(`wrote ${log}`);
    const { engine } = run.parse(JSON.parse(logged.stdout));
    const result = explained.parse(await jsonOf("explain", log));
    expect(result.steps).toBe(engine.steps);
    expect(readFileSync(log, "utf8").trimEnd().split("\n")).toHaveLength(1 + engine.steps + 1);
    for (const shares of [result.components, result.bounds, result.phases, result.batchSizes, result.lookups]) {
      expect((shares as { fraction: number }[]).reduce((sum, share) => sum + share.fraction, 0)).toBeCloseTo(1, 6);
    }
    const table = await callCli("explain", log);
    expect(table.exitCode).toBe(0);
    expect(table.stdout.split("\n")[0]).toMatch(/^[A-Z].* % .*\.$/);
  });

  test("replay --step-log --out: all files, and the result of neither flag", async () => {
    const trace = write("trace.csv", "arrival_s,prompt_tokens,output_tokens\n0,50,10\n0.1,700,4\n");
    const plain = await callCli("replay", trace, "--format", "json");
    const log = join(folder, "logs", "replay.jsonl");
    const both = await callCli("replay", trace, "--format", "json", "--step-log", log, "--out", join(folder, "out"));
    expect(both.stdout).toBe(plain.stdout);
    expect(existsSync(join(folder, "out", "trace.json"))).toBe(true);
    expect(explained.parse(await jsonOf("explain", log)).steps).toBe(run.parse(JSON.parse(both.stdout)).engine.steps);
  });

  test("models, gpus and bench-data list", async () => {
    expect(models.parse(await jsonOf("models")).models.map(({ id }) => id)).toContain("meta-llama/Llama-3.1-8B");
    const ids = gpus.parse(await jsonOf("gpus")).gpus.map(({ id }) => id);
    const wanted = "H100 H100-PCIe H200 A100-40 A100-80 L40S L4 A10G RTX4090 H20 H800 B200 GB200".split(" ");
    for (const id of wanted) expect(ids).toContain(id);
    expect(benchData.parse(await jsonOf("bench-data", "list")).coverage.length).toBeGreaterThan(0);
    expect(await jsonOf("bench-data")).toEqual(await jsonOf("bench-data", "list"));
  });
});

describe("options", () => {
  beforeAll(ensureBuilt);

  test("every option that vLLM and GuideLLM name so exists", async () => {
    const { stdout: help } = await spawnCli(["run", "--help"]);
    const names =
      "model gpu tensor-parallel-size tp max-num-seqs max-num-batched-tokens max-model-len block-size " +
      "gpu-memory-utilization num-gpu-blocks-override enable-prefix-caching enable-chunked-prefill " +
      "long-prefill-token-threshold scheduling-policy async-scheduling dtype quantization kv-cache-dtype profile rate " +
      "data max-requests max-seconds seed config format out burstiness";
    for (const name of names.split(" ")) expect(help).toContain(`--${name}`);
  });

  test.for([
    [["--no-enable-prefix-caching"], { enablePrefixCaching: false }],
    [["--enable-prefix-caching"], { enablePrefixCaching: true }],
    [["--no-enable-chunked-prefill"], { enableChunkedPrefill: false, maxNumBatchedTokens: 131072 }],
    [["--no-async-scheduling"], { asyncScheduling: false }],
    [["--async-scheduling"], { asyncScheduling: true }],
    [["--tp", "2"], { tensorParallelSize: 2 }],
    [["--tensor-parallel-size=4"], { tensorParallelSize: 4 }],
    [["--long-prefill-token-threshold", "512"], { longPrefillTokenThreshold: 512 }],
    [["--vllm-version", "0.13"], { vllmVersion: "0.13", asyncScheduling: false }],
    [["--vllm-version", "v0.15.1"], { vllmVersion: "0.15" }],
    [["--vllm-version", "0.11.0"], { vllmVersion: "0.11.0" }],
    [["--quantization", "awq_marlin"], { quantization: "awq" }],
    [["--quantization", "fp8", "--kv-cache-dtype", "fp8"], { quantization: "fp8", kvCacheDtype: "fp8" }],
    [["--max-num-seqs", "1e2"], { maxNumSeqs: 100 }],
  ] as const)("%j reaches the engine", async ([flags, expected]) => {
    const { config } = run.parse(await jsonOf("run", ...FEW, ...flags));
    expect(config.engine).toMatchObject(expected);
  });

  test.for(["META-LLAMA/llama-3.1-8b", "Llama-3.1-8B", "meta-llama/Llama-3.1-8B-Instruct"])(
    "model %s is the same shape",
    async (model) => {
      const { engine } = run.parse(await jsonOf("run", ...FEW, "--model", model));
      expect(engine.numGpuBlocks).toBe(run.parse(await jsonOf("run", ...FEW)).engine.numGpuBlocks);
    },
  );
});
