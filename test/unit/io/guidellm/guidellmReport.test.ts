import { describe, expect, it } from "vitest";
import { type GuidellmAggregates, guidellmAggregates } from "../../../../src/core/metrics/guidellmAggregates.js";
import { readGuidellmReport } from "../../../../src/io/guidellm/guidellmReport.js";
import { groundTruthFolder, realRun } from "../groundTruthFolder.js";
import { type Fixture, parse, reportOf03, reportOf04, reportOf07 } from "./guidellmFixtures.js";

const GROUPS = ["successful", "incomplete", "errored", "total"] as const;

/** Every number of a distribution, percentiles included. */
function flat(distribution: object): [string, number][] {
  const { percentiles, ...rest } = distribution as { percentiles: Record<string, number> };
  return Object.entries({ ...rest, ...percentiles }).filter(
    (entry): entry is [string, number] => typeof entry[1] === "number",
  );
}

describe.skipIf(groundTruthFolder === null)("a real GuideLLM 0.6 file", () => {
  const file = realRun("guidellm", "jan20-codellama-prefill-1", "guidellm-results.json");

  it("has the five benchmarks that were run", () => {
    const { layout, benchmarks } = readGuidellmReport(file);
    expect(layout).toBe("0.5");
    expect(benchmarks.map(({ strategy }) => strategy.kind)).toEqual([
      "synchronous",
      "throughput",
      "constant",
      "constant",
      "constant",
    ]);
    expect(benchmarks.map(({ records }) => records.length)).toEqual([40, 40, 40, 40, 40]);
    expect(
      benchmarks.every(
        ({ isTruncated, prefixTokens, timeoutS }) => !isTruncated && prefixTokens === 1024 && timeoutS === 60,
      ),
    ).toBe(true);
    expect(benchmarks[0]?.strategy).toMatchObject({ maxConcurrency: 1, requestsPerS: null });
  });

  it("has aggregates that its records reproduce to 1e-9, every metric, group and field", () => {
    let numCompared = 0;
    for (const { records, window, metrics } of readGuidellmReport(file).benchmarks) {
      const ours = guidellmAggregates(records, window);
      expect(ours.request_totals).toEqual(metrics.request_totals);
      for (const [metric, groups] of Object.entries(ours) as [keyof GuidellmAggregates, object][]) {
        if (metric === "request_totals") continue;
        for (const group of GROUPS) {
          const theirs = new Map(flat((metrics[metric] as Record<string, object>)[group] as object));
          for (const [field, value] of flat((groups as Record<string, object>)[group] as object)) {
            const expected = theirs.get(field) as number;
            const error = Math.abs(value - expected) / Math.max(Math.abs(expected), 1e-300);
            expect(expected === 0 ? value : error, `${metric}.${group}.${field}`).toBeLessThan(1e-9);
            numCompared++;
          }
        }
      }
    }
    expect(numCompared).toBeGreaterThan(5 * 13 * 4 * 15);
  });
});

describe("layouts", () => {
  it.each([
    ["0.3", reportOf03],
    ["0.4", reportOf04],
    ["0.7", reportOf07],
  ] as const)("of %s read as the same request", (layout, build) => {
    const report = parse(build());
    expect(report.layout).toBe(layout);
    const [benchmark] = report.benchmarks;
    expect(benchmark?.strategy).toMatchObject({ kind: "constant", requestsPerS: 2 });
    expect(benchmark?.window).toEqual({ startS: 1000, endS: 1010 });
    expect(benchmark?.records[0]).toMatchObject({
      status: "successful",
      requestStartS: 1000.5,
      firstTokenS: 1000.75,
      lastTokenS: 1001.75,
      requestEndS: 1001.76,
      promptTokens: 100,
      outputTokens: 11,
    });
    expect(benchmark?.isTruncated).toBe(false);
  });

  it("reads −1 of 0.3 as 'never happened'", () => {
    const report = reportOf03();
    report.benchmarks[0].requests.successful[0].first_token_time = -1;
    expect(parse(report).benchmarks[0]?.records[0]?.firstTokenS).toBeNaN();
  });

  it("falls back from request_start and usage to what else the file has", () => {
    const report = reportOf04();
    const request = report.benchmarks[0].requests.successful[0];
    request.info.timings.request_start = null;
    request.info.timings.resolve_start = 1000.25;
    request.output_metrics = null;
    expect(parse(report).benchmarks[0]?.records[0]).toMatchObject({ requestStartS: 1000.25, outputTokens: 11 });
  });

  it("flags a file that lists fewer requests than it measured", () => {
    const report = reportOf07();
    report.benchmarks[0].metrics.request_totals = { successful: 500, incomplete: 0, errored: 0, total: 500 };
    expect(parse(report).benchmarks[0]).toMatchObject({ isTruncated: true, numSuccessful: 500 });
  });

  it("finds max_tokens in arguments written as Python or as JSON", () => {
    for (const text of ["{'body': {'max_tokens': 77, 'stop': None}}", '{"max_completion_tokens": 77}']) {
      const report = reportOf04();
      report.benchmarks[0].requests.successful[0].request_args = text;
      expect(parse(report).benchmarks[0]?.records[0]?.maxTokens).toBe(77);
    }
  });
});

describe("a malformed file", () => {
  const broken: [string, (report: ReturnType<typeof reportOf04>) => unknown, RegExp][] = [
    ["no benchmarks key", () => ({ metadata: { version: 1 } }), /benchmarks/],
    ["no benchmarks", (report) => ({ ...report, benchmarks: [] }), /at least one benchmark/],
    ["a list at the top", () => [], /must be an object/],
    [
      "a text where a time stands",
      (report) =>
        withBenchmark(report, (b) => {
          b.requests.successful[0].info.timings.request_start = "soon";
        }),
      /requests\.successful/,
    ],
    [
      "negative tokens",
      (report) =>
        withBenchmark(report, (b) => {
          b.requests.successful[0].input_metrics.total_tokens = -4;
        }),
      /requests\.successful\[0\]/,
    ],
    [
      "no strategy",
      (report) =>
        withBenchmark(report, (b) => {
          b.config.strategy = null;
        }),
      /benchmarks\[0\]\.config\.strategy/,
    ],
    [
      "a window that ends before it starts",
      (report) =>
        withBenchmark(report, (b) => {
          b.end_time = 999;
        }),
      /window is empty/,
    ],
    [
      "requests that are no list",
      (report) =>
        withBenchmark(report, (b) => {
          b.requests.successful = {};
        }),
      /must be a list/,
    ],
    [
      "a metric without mean",
      (report) =>
        withBenchmark(report, (b) => {
          b.metrics = { request_latency: { successful: { median: 1, percentiles: {} } } };
        }),
      /request_latency\.successful\.mean/,
    ],
  ];

  it.each(broken)("with %s is refused by file and place", (_name, change, expected) => {
    const act = () => parse(change(reportOf04()));
    expect(act).toThrowError(expected);
    expect(act).toThrowError(/^fixture\.json/);
  });
});

function withBenchmark(report: ReturnType<typeof reportOf04>, change: (benchmark: Fixture) => void): unknown {
  change(report.benchmarks[0]);
  return report;
}
