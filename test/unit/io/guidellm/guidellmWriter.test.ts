import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { guidellmAggregates } from "../../../../src/core/metrics/guidellmAggregates.js";
import { summariseRecords } from "../../../../src/core/metrics/runMetrics.js";
import { parseGuidellmReport } from "../../../../src/io/guidellm/guidellmReport.js";
import { type GuidellmReportInput, guidellmReportText } from "../../../../src/io/guidellm/guidellmWriter.js";
import { type SimulatedRun, simulatedRun } from "../results/simulatedRun.js";

const STRATEGY = { kind: "poisson", requestsPerS: 20, streams: null, maxConcurrency: null };

function write(run: SimulatedRun, changes: Partial<GuidellmReportInput> = {}): string {
  const simulator = { name: "roofserve", version: "0.1.0", seed: 42 };
  const args = { data: "prompt_tokens=100,prefix_tokens=64" };
  return [...guidellmReportText({ ...run, strategy: STRATEGY, args, simulator, ...changes })].join("");
}

describe("guidellmReportText", () => {
  it("reads back with the same requests, and their aggregates are those in the file", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(1000), (numRequests, seed) => {
        const run = simulatedRun(numRequests, seed);
        const [benchmark] = parseGuidellmReport(JSON.parse(write(run)), "written.json").benchmarks;
        if (benchmark === undefined) throw new Error("no benchmark was written");
        const ours = guidellmAggregates(benchmark.records, benchmark.window);
        for (const [metric, groups] of Object.entries(benchmark.metrics)) {
          // A reader keeps what it knows; `pdf` is always null.
          expect(JSON.parse(JSON.stringify(ours[metric as keyof typeof ours]))).toMatchObject(groups as object);
        }
        const counts = summariseRecords(run.records).requests;
        expect(ours.request_totals).toEqual({
          successful: counts.completed,
          incomplete: counts.unfinished,
          errored: counts.rejected + counts.aborted,
          total: counts.submitted,
        });
      }),
      { seed: 20260221, numRuns: 30 },
    );
  });

  it("keeps TTFT and the time between tokens to the microsecond", () => {
    const run = simulatedRun(80, 3);
    const [benchmark] = parseGuidellmReport(JSON.parse(write(run)), "written.json").benchmarks;
    const byId = new Map(benchmark?.records.map((record) => [record.requestId, record]));
    for (const record of run.records) {
      const read = byId.get(record.id);
      if (record.status !== "completed" || read === undefined) continue;
      expect((read.firstTokenS - read.requestStartS) * 1e6).toBeCloseTo(record.firstTokenUs - record.arrivalUs, -0.3);
      expect(read.outputTokens).toBe(record.numOutputTokens);
    }
    const { ttftMs } = summariseRecords(run.records);
    expect(benchmark?.metrics.time_to_first_token_ms?.successful.mean).toBeCloseTo(ttftMs.mean as number, 3);
  });

  it("says that it is simulated, and what was asked", () => {
    const text = write(simulatedRun(5, 1));
    expect(JSON.parse(text).metadata).toMatchObject({
      version: 1,
      simulated: true,
      simulator: { name: "roofserve", version: "0.1.0", seed: 42 },
    });
    const [benchmark] = parseGuidellmReport(JSON.parse(text), "written.json").benchmarks;
    expect(benchmark).toMatchObject({ strategy: STRATEGY, prefixTokens: 64 });
  });

  it("gives all four groups and eleven percentiles, zeros where a group is empty", () => {
    const { metrics } = JSON.parse(write(simulatedRun(1, 1))).benchmarks[0];
    expect(Object.keys(metrics.request_latency)).toEqual(["successful", "incomplete", "errored", "total"]);
    expect(Object.keys(metrics.request_latency.errored.percentiles)).toHaveLength(11);
    expect(metrics.request_latency.errored).toMatchObject({ mean: 0, count: 0, pdf: null });
  });

  it("starts the window at the go signal for older GuideLLM, at the first request for newer", () => {
    const run = simulatedRun(5, 1);
    const shiftUs = 1e6 - (run.records[0]?.arrivalUs ?? 0);
    const later = { ...run, records: run.records.map((r) => ({ ...r, arrivalUs: r.arrivalUs + shiftUs })) };
    const startOf = (windowMode: "scheduler-start" | "first-request"): number =>
      JSON.parse(write(later, { windowMode })).benchmarks[0].start_time;
    expect(startOf("first-request") - startOf("scheduler-start")).toBeCloseTo(1, 6);
  });

  it("writes the same bytes for the same run, and valid JSON for none", () => {
    expect(write(simulatedRun(20, 7))).toBe(write(simulatedRun(20, 7)));
    expect(parseGuidellmReport(JSON.parse(write({ records: [], specs: [] })), "written.json").benchmarks).toHaveLength(
      1,
    );
  });
});
