import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readGuidellmExperiment } from "../../../../src/io/guidellm/guidellmExperiment.js";
import { groundTruthFolder, realRun } from "../groundTruthFolder.js";
import { type Fixture, reportOf04 } from "./guidellmFixtures.js";

/** A folder with the fixture changed by `change`, and the files given. */
function folderWith(change: (benchmark: Fixture) => void, files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "guidellm-"));
  const report = reportOf04();
  change(report.benchmarks[0]);
  writeFileSync(join(folder, "benchmarks.json"), JSON.stringify(report));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const CONFIG = { "exp-config.yaml": "model: a/b\ntensor_parallelism: 2\nmax_num_seqs: 8\n" };

describe.skipIf(groundTruthFolder === null)("the real GuideLLM folder", () => {
  const experiment =
    groundTruthFolder === null ? null : readGuidellmExperiment(realRun("guidellm", "jan20-codellama-prefill-1"));

  it("says what the server's log says", () => {
    expect(experiment).toMatchObject({
      model: "codellama/CodeLlama-34b-Instruct-hf",
      gpu: null,
      tensorParallelSize: 1,
      client: "guidellm",
      engine: {
        maxModelLen: 8192,
        maxNumSeqs: 32,
        maxNumBatchedTokens: 64,
        blockSize: 16,
        numGpuBlocks: 2790,
        vllmVersion: "0.11.0",
        enablePrefixCaching: true,
        dtype: "bfloat16",
      },
    });
  });

  it("has one run per benchmark: the synchronous one closed, an unreached cap open", () => {
    expect(experiment?.runs.map((run) => run.closedLoopConcurrency)).toEqual([1, null, null, null, null]);
    expect(experiment?.runs.every((run) => run.specs.length === 40 && run.measured.length === 40)).toBe(true);
    expect(experiment?.runs.map((run) => run.name.split("/")[1])).toEqual([
      "0-synchronous",
      "1-throughput",
      "2-constant-0.76",
      "3-constant-0.92",
      "4-constant-1.09",
    ]);
    expect(experiment?.runs.map((run) => run.excluded)).toEqual([null, null, null, null, null]);
  });

  it("shares 1024 tokens within a benchmark and nothing else", () => {
    for (const run of experiment?.runs ?? []) {
      const contents = run.specs.map((spec) => spec.promptSegments);
      expect(contents.every(([prefix]) => prefix?.numTokens === 1024)).toBe(true);
      expect(new Set(contents.map(([prefix]) => prefix?.contentId)).size).toBe(1);
      expect(new Set(contents.map(([, own]) => own?.contentId)).size).toBe(40);
      expect(run.specs[0]?.arrivalUs).toBe(0);
      expect(run.specs.every((spec, i) => i === 0 || spec.arrivalUs >= (run.specs[i - 1]?.arrivalUs ?? 0))).toBe(true);
    }
  });

  it("measures what the file's own aggregates say", () => {
    for (const run of experiment?.runs ?? []) {
      const mean = run.measured.reduce((sum, request) => sum + request.e2eMs, 0) / run.measured.length;
      expect(mean).toBeCloseTo(run.aggregates?.e2eMs?.mean ?? 0, 6);
    }
  });
});

describe("readGuidellmExperiment", () => {
  it("leaves refused requests out and counts cut-off ones as failed", () => {
    const folder = folderWith((benchmark) => {
      const [ok] = benchmark.requests.successful;
      const noToken = {
        ...ok.info.timings,
        first_token_iteration: null,
        last_token_iteration: null,
        request_end: null,
      };
      const refused = {
        ...ok,
        request_id: "400",
        info: { error: "HTTP 400: too long", timings: { ...noToken, resolve_end: 1000.6 } },
      };
      const cut = {
        ...ok,
        request_id: "cut",
        request_args: "{'max_tokens': 99}",
        info: { error: null, timings: { ...noToken, resolve_end: 1009 } },
      };
      benchmark.requests.errored = [refused];
      benchmark.requests.incomplete = [cut];
    }, CONFIG);
    const experiment = readGuidellmExperiment(folder);
    expect(experiment.notes.join()).toContain("1 requests refused");
    const [run] = experiment.runs;
    expect(run?.specs.map((spec) => [spec.id, spec.maxTokens])).toEqual([
      ["a", 11],
      ["cut", 99],
    ]);
    expect(run?.measured.map((request) => request.failed)).toEqual([false, true]);
    expect(run?.excluded).toMatch(/^50 % of requests failed/);
  });

  it("excludes a run of which only a sample is listed", () => {
    const folder = folderWith((benchmark) => {
      benchmark.metrics.request_totals = { successful: 9, incomplete: 0, errored: 0, total: 9 };
    }, CONFIG);
    expect(readGuidellmExperiment(folder).runs[0]?.excluded).toContain("sample");
  });

  it.each([
    ["synchronous", { type_: "synchronous" }, 1],
    ["concurrent", { type_: "concurrent", streams: 7 }, 7],
    ["throughput below its cap", { type_: "throughput", max_concurrency: 4 }, null],
    ["constant", { type_: "constant", rate: 1 }, null],
  ])("runs %s with the right loop", (_name, strategy, concurrency) => {
    const folder = folderWith((benchmark) => {
      benchmark.config.strategy = strategy;
    }, CONFIG);
    expect(readGuidellmExperiment(folder).runs[0]?.closedLoopConcurrency).toBe(concurrency);
  });

  it("names the file to add when nothing says the model", () => {
    const folder = folderWith(() => {}, {});
    expect(() => readGuidellmExperiment(folder)).toThrowError(/exp-config\.yaml.*model.*Hugging Face id/);
  });
});
