import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { MeasuredExperiment } from "../../../../src/core/metrics/measuredExperiment.js";
import { readInferencePerfExperiment } from "../../../../src/io/inferencePerf/inferencePerfExperiment.js";
import { groundTruthFolder, realRun } from "../groundTruthFolder.js";
import { changedJson, type ExperimentFiles, experimentFolder } from "./inferencePerfFolder.js";

function read(changes?: ExperimentFiles): MeasuredExperiment {
  return readInferencePerfExperiment(experimentFolder(changes));
}

const onlyRun = (experiment: MeasuredExperiment) => experiment.runs[0] as MeasuredExperiment["runs"][number];

describe.skipIf(groundTruthFolder === null)("the six real inference-perf runs", () => {
  const names = groundTruthFolder === null ? [] : readdirSync(realRun("inference-perf")).sort();
  const experiments = names.map((name) => readInferencePerfExperiment(realRun("inference-perf", name)));

  it("are all there, with their engine and true output lengths", () => {
    expect(
      experiments.map(({ model, tensorParallelSize, engine, runs }) => [
        model,
        tensorParallelSize,
        engine.numGpuBlocks,
        runs[0]?.specs.length,
        runs[0]?.specs[0]?.maxTokens,
      ]),
    ).toEqual([
      ["meta-llama/Llama-2-7b-hf", 1, 7462, 7200, 251],
      ["meta-llama/Llama-2-70b-hf", 4, 31356, 16800, 248],
      ["meta-llama/Llama-2-7b-hf", 1, 7462, 16800, 248],
      ["mistralai/Mixtral-8x7B-v0.1", 2, 27510, 16800, 248],
      ["codellama/CodeLlama-34b-Instruct-hf", 2, 26602, 9000, 247],
      ["codellama/CodeLlama-34b-Instruct-hf", 2, 26602, 7200, 251],
    ]);
    expect(experiments.flatMap(({ notes }) => notes)).toEqual([]);
    expect(experiments.map(({ runs }) => runs[0]?.excluded)).toEqual(Array(6).fill(null));
  });

  it("repeat one hundred prompts, and every recorded length is its prompt's", () => {
    for (const { runs } of experiments) {
      const specs = runs[0]?.specs ?? [];
      const lengths = new Map<number, number>();
      for (const { promptSegments } of specs) {
        const [segment] = promptSegments;
        if (segment === undefined) throw new Error("a prompt has no tokens");
        expect(lengths.get(segment.contentId) ?? segment.numTokens).toBe(segment.numTokens);
        lengths.set(segment.contentId, segment.numTokens);
      }
      expect(lengths.size).toBe(100);
    }
  });

  it("have aggregates that agree with their requests once the doubled time stamps are undone", () => {
    let numStages = 0;
    for (const { runs } of experiments) {
      for (const { stages, measured } of runs) {
        expect(stages.at(-1)?.endIndex).toBe(measured.length);
        for (const { firstIndex, endIndex, aggregates } of stages) {
          const part = measured.slice(firstIndex, endIndex);
          const mean = (of: (request: (typeof part)[number]) => number) =>
            part.reduce((sum, request) => sum + of(request), 0) / part.length;
          expect(aggregates?.numCompleted).toBe(part.length);
          expect(aggregates?.e2eMs?.mean).toBeCloseTo(
            mean((r) => r.e2eMs),
            6,
          );
          expect(aggregates?.ttftMs?.mean).toBeCloseTo(
            mean((r) => r.ttftMs),
            6,
          );
          const itl = aggregates?.itlMs?.mean ?? Number.NaN;
          expect(Math.abs(itl / mean((r) => r.itlMs) - 1)).toBeLessThan(0.002);
          numStages++;
        }
      }
    }
    expect(numStages).toBe(10);
  });

  it("give 14.2 ms between tokens for llama-2-7b-general, not the reported 7.1", () => {
    const [, , general] = experiments;
    expect(general?.runs[0]?.aggregates?.itlMs?.mean).toBeCloseTo(14.2, 1);
  });

  it("produce the tokens per second that requests per second × true length say", () => {
    for (const { runs } of experiments) {
      const { outputTokensPerS, aggregates } = runs[0] ?? {};
      expect(Math.abs((outputTokensPerS as number) / (aggregates?.outputTokensPerS as number) - 1)).toBeLessThan(1e-6);
    }
  });
});

describe("readInferencePerfExperiment", () => {
  it("reads a sound folder", () => {
    const experiment = read();
    expect(experiment).toMatchObject({ name: "small", model: "a/b", tensorParallelSize: 2, gpu: null, notes: [] });
    expect(experiment.engine).toMatchObject({ maxModelLen: 4096, maxNumSeqs: 8, numGpuBlocks: 100, blockSize: 16 });
    const { specs, measured, stages, outputTokensPerS } = onlyRun(experiment);
    expect(specs.map((spec) => [spec.arrivalUs, spec.numPromptTokens, spec.maxTokens]).slice(0, 2)).toEqual([
      [0, 20, 5],
      [1e6, 21, 5],
    ]);
    expect(specs[0]?.promptSegments).toEqual(specs[4]?.promptSegments);
    expect(measured[0]).toEqual({ ttftMs: 100, e2eMs: 500, itlMs: 100, failed: false });
    expect(stages).toEqual([{ name: "stage 0", firstIndex: 0, endIndex: 8, requestsPerS: 1, aggregates: null }]);
    expect(outputTokensPerS).toBeCloseTo(40 / 7.5, 9);
  });

  it("needs neither KV blocks, nor measurements, nor the server's file", () => {
    const noBlocks = changedJson("replay.json", (data) => {
      delete data.config.kv_blocks_total_gpu;
    });
    const experiment = read({ ...noBlocks, "ground_truth.json": null, "exp-config.yaml": null });
    expect(experiment.engine).toMatchObject({ numGpuBlocks: null, maxModelLen: null });
    expect(experiment.tensorParallelSize).toBe(2);
    expect(onlyRun(experiment)).toMatchObject({ measured: [], outputTokensPerS: null });
    expect(onlyRun(experiment).excluded).toContain("ground_truth.json is missing");
  });

  it("believes the configured output length, unless the server stopped at EOS", () => {
    const config =
      "data: {type: shared_prefix, shared_prefix: {num_groups: 2, num_prompts_per_group: 2, output_len: 5}}\nload: {stages: []}\nserver: {ignore_eos: false}\n";
    const experiment = read({ "results/config.yaml": config });
    expect(onlyRun(experiment).specs[0]?.maxTokens).toBe(3);
    expect(experiment.notes.join()).toContain("re-tokenised");
  });

  it("imputes failed requests, keeps them as failed and excludes a run with too many", () => {
    const failed = changedJson("replay.json", (data) => {
      data.requests[5].has_error = true;
      data.requests[5].input_tokens = 0;
    });
    const { specs, measured, excluded } = onlyRun(read(failed));
    expect(specs[5]?.numPromptTokens).toBe(21);
    expect(measured.map((request) => request.failed)).toEqual([false, false, false, false, false, true, false, false]);
    expect(excluded).toBe("13 % of requests failed at the client's timeout");
  });

  it("lets clients give up after the configured timeout, 300 s by default", () => {
    expect(onlyRun(read()).specs[0]?.timeoutUs).toBe(300e6);
    const config = "data: {type: random}\nload: {request_timeout: 12.5}\n";
    expect(onlyRun(read({ "results/config.yaml": config })).specs[0]?.timeoutUs).toBe(12.5e6);
  });

  it("takes prompts of other datasets as unrelated, with the recorded lengths", () => {
    const { specs } = onlyRun(read({ "results/config.yaml": "data: {type: random}\nload: {}\n" }));
    expect(new Set(specs.map((spec) => spec.promptSegments[0]?.contentId)).size).toBe(8);
    expect(specs.map((spec) => spec.numPromptTokens)).toEqual([20, 21, 22, 23, 20, 21, 22, 23]);
  });

  it("sorts requests by arrival and keeps measurements with them", () => {
    const swapped = changedJson("replay.json", (data) => {
      [data.requests[0].arrival_time_us, data.requests[1].arrival_time_us] = [1_000_000, 0];
    });
    const truth = changedJson("ground_truth.json", (data) => {
      data[1].e2e_s = 0.9;
    });
    const { specs, measured } = onlyRun(read({ ...swapped, ...truth }));
    expect([specs[0]?.id, measured[0]?.e2eMs, specs[1]?.id]).toEqual(["1", 900, "0"]);
  });

  it("tells prompts apart by text in a per-request file", () => {
    const rows = ["x", "y", "x"].map((prompt, i) => ({
      start_time: 100 + i,
      end_time: 100.5 + i,
      request: JSON.stringify({ prompt }),
      info: { input_tokens: 7, output_tokens: 3, output_token_times: [100.1 + i, 100.2 + i] },
      error: null,
    }));
    const experiment = read({
      "replay.json": null,
      "ground_truth.json": null,
      "results/per_request_lifecycle_metrics.json": JSON.stringify(rows),
    });
    const { specs, measured } = onlyRun(experiment);
    expect(specs[0]?.promptSegments).toEqual(specs[2]?.promptSegments);
    expect(specs[1]?.promptSegments).not.toEqual(specs[0]?.promptSegments);
    expect(specs.map((spec) => spec.arrivalUs)).toEqual([0, 1e6, 2e6]);
    expect(measured[0]?.ttftMs).toBeCloseTo(100, 6);
  });

  it("cuts stages at the widest gaps when no count fits", () => {
    const stages = "data: {type: random}\nload: {stages: [{rate: 1, duration: 2}, {rate: 3, duration: 1}]}\n";
    const gap = changedJson("replay.json", (data) => {
      for (const request of data.requests.slice(3)) request.arrival_time_us += 9e6;
    });
    const run = onlyRun(read({ ...gap, "results/config.yaml": stages }));
    expect(run.stages.map((stage) => [stage.firstIndex, stage.endIndex])).toEqual([
      [0, 3],
      [3, 8],
    ]);
  });
});
