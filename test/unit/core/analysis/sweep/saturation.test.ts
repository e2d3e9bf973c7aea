import { describe, expect, it } from "vitest";
import { runSweep } from "../../../../../src/core/analysis/sweep/runSweep.js";
import { seriesSaturation } from "../../../../../src/core/analysis/sweep/saturation.js";
import type { SweepRun } from "../../../../../src/core/analysis/sweep/sweepRun.js";
import type { RunTask } from "../../../../../src/core/analysis/sweep/sweepTask.js";
import { simulateHere, smallConfig, smallRates, smallSweep, someRun } from "./smallSweep.js";

const NUM_REQUESTS = 10_000;
const base = someRun();
const head = { label: "", varied: {}, hasSessions: false };

/** An M/M/1 queue with a capacity of 10 requests/s, as a long run of it comes out; past it the queue grows until the end. */
function mm1Run(rate: number, isPast = rate > 10): SweepRun {
  const requestsPerS = Math.min(rate, 10);
  const arrivalSpanS = NUM_REQUESTS / rate;
  const meanS = rate < 10 ? 1 / (10 - rate) : (NUM_REQUESTS / 10 - arrivalSpanS) / 2;
  return {
    ...base,
    arrivalSpanS,
    requests: { ...base.requests, submitted: NUM_REQUESTS, completed: NUM_REQUESTS },
    e2eMs: { ...base.e2eMs, mean: 1000 * meanS },
    throughput: { ...base.throughput, requestsPerS },
    regime: { ...base.regime, label: isPast ? "past" : "below", closedLoop: false },
  };
}

const analytic: RunTask = async ({ config }) => {
  const { profile } = config.workload;
  return { run: mm1Run("rate" in profile ? profile.rate : 0) };
};

async function saturationOf(rates: readonly number[], run: RunTask = analytic) {
  const sweep = smallSweep({ series: [{ ...head, configs: smallRates(...rates) }] });
  return seriesSaturation(head, 0, await runSweep(sweep, run));
}

describe("the saturation of an M/M/1 queue", () => {
  it("lies between the rates on either side of its capacity, whatever the order they came in", async () => {
    const expected = { saturates: true, sustainedLoad: 9, saturatedLoad: 11 };
    expect(await saturationOf([1, 3, 5, 7, 9, 11, 13])).toMatchObject(expected);
    expect(await saturationOf([13, 5, 11, 1, 9, 3, 7])).toMatchObject(expected);
  });

  it("has its latency bend at half of the capacity", async () => {
    const { latencyKnee } = await saturationOf([1, 3, 5, 7, 9, 11, 13]);
    expect(latencyKnee).toEqual({ load: 5, above: 3, below: 7 });
  });

  it("has throughput fall behind where the offered rate exceeds it", async () => {
    expect((await saturationOf([5, 9, 12, 15])).throughputKnee).toEqual({ followed: 9, fellBehind: 12 });
    expect((await saturationOf([5, 9])).throughputKnee).toBeNull();
  });

  it("is not sought in requests that the server refuses, or their clients give up, at any rate", async () => {
    const losing =
      (rejected: number, aborted: number): RunTask =>
      async (task) => {
        const { run } = await analytic(task);
        const served = 1 - rejected - aborted;
        const { requests, throughput } = run!;
        const counts = {
          rejected: rejected * NUM_REQUESTS,
          aborted: aborted * NUM_REQUESTS,
          completed: served * NUM_REQUESTS,
        };
        const requestsPerS = served * throughput.requestsPerS!;
        return { run: { ...run!, requests: { ...requests, ...counts }, throughput: { ...throughput, requestsPerS } } };
      };
    for (const [rejected, aborted] of [
      [0.8, 0],
      [0, 0.2],
      [0.5, 0.2],
    ] as const) {
      expect((await saturationOf([1, 3, 9], losing(rejected, aborted))).throughputKnee).toBeNull();
      const found = await saturationOf([1, 3, 9, 12], losing(rejected, aborted));
      expect(found.throughputKnee).toEqual({ followed: 9, fellBehind: 12 });
    }
  });

  it("is said not to be reached where no rate reaches it, and to lie below all where every one is past it", async () => {
    const below = await saturationOf([1, 2, 4]);
    expect(below).toMatchObject({ saturates: false, sustainedLoad: 4, saturatedLoad: null });
    expect(below.finding).toContain("Carries every rate, up to 4 requests/s");
    const past = await saturationOf([12, 14]);
    expect(past).toMatchObject({ saturates: true, sustainedLoad: null, saturatedLoad: 12 });
    expect(past.finding).toContain(
      "Carries none of the rates, not even 12 requests/s: throughput levels off at 10 requests/s",
    );
  });

  it("is not told from runs that end before a queue could have grown", async () => {
    const short: RunTask = async ({ config: { workload } }) => {
      const rate = "rate" in workload.profile ? workload.profile.rate : 0;
      const run = mm1Run(rate, false);
      const arrivalSpanS = 9 * ((run.e2eMs.mean ?? 0) / 1000) * (rate < 8 ? 2 : 1);
      const submitted = rate * arrivalSpanS;
      return { run: { ...run, arrivalSpanS, requests: { ...run.requests, submitted, completed: submitted } } };
    };
    const found = await saturationOf([5, 7, 9, 11], short);
    expect(found).toMatchObject({ saturates: false, sustainedLoad: 7, saturatedLoad: null, tooShortLoad: 9 });
    expect(found.finding).toContain("from 9 requests/s on the runs are too short to tell");
    expect(await saturationOf([9, 11], short)).toMatchObject({ sustainedLoad: null, tooShortLoad: 9 });
  });

  it("is where throughput levels off, carried on the one side and not on the other", async () => {
    const { finding } = await saturationOf([5, 9, 12, 15]);
    expect(finding).toBe(
      "Carries 9 requests/s, not 12 requests/s: throughput levels off at 10 requests/s; latency bends at 5 requests/s.",
    );
    // A queue that grows is seen before throughput is far behind.
    const early: RunTask = async ({ config: { workload } }) => {
      const rate = "rate" in workload.profile ? workload.profile.rate : 0;
      return { run: mm1Run(rate, rate > 8) };
    };
    expect((await saturationOf([5, 7, 9, 12], early)).finding).toContain("Carries 7 requests/s, not 9 requests/s");
    expect((await saturationOf([5, 7, 9], early)).finding).toContain("not 9 requests/s: its queue grows there");
  });

  it("is the same in numbers as in words where throughput falls behind and no queue grows", async () => {
    const steady: RunTask = async ({ config: { workload } }) => {
      const rate = "rate" in workload.profile ? workload.profile.rate : 0;
      return { run: mm1Run(rate, false) };
    };
    const found = await saturationOf([5, 9, 11.5], steady);
    expect(found).toMatchObject({ saturates: true, sustainedLoad: 9, saturatedLoad: 11.5, queueKnee: null });
    expect(found.finding).toContain("Carries 9 requests/s, not 11.5 requests/s");
  });

  it("of a single rate is that it is carried, and no more", async () => {
    expect((await saturationOf([5])).finding).toBe("Carries 5 requests/s, the only rate tried.");
  });

  it("does not move for one run that went well by luck", async () => {
    const lucky: RunTask = async (task) => {
      const { profile } = task.config.workload;
      const rate = "rate" in profile ? profile.rate : 0;
      return { run: mm1Run(rate, rate > 10 && rate !== 13) };
    };
    expect(await saturationOf([5, 9, 11, 12, 13, 14], lucky)).toMatchObject({ sustainedLoad: 9, saturatedLoad: 11 });
  });
});

describe("the saturation of a series", () => {
  it("without loads, or of closed loops, is none, and says so", async () => {
    const closed = (streams: number) => smallConfig({ kind: "concurrent", streams });
    const series = [{ ...head, configs: [1, 2, 4].map(closed) }];
    const streams = seriesSaturation(head, 0, await runSweep(smallSweep({ series }), simulateHere));
    expect(streams).toMatchObject({ unit: "streams", saturates: false, saturatedLoad: null });
    expect(streams.maxThroughput?.label).toBe("concurrent 4");
    const single = [{ ...head, configs: [smallConfig({ kind: "synchronous" })] }];
    const none = seriesSaturation(head, 0, await runSweep(smallSweep({ series: single }), simulateHere));
    expect(none).toMatchObject({ unit: null, latencyKnee: null });
    expect(seriesSaturation(head, 0, [])).toMatchObject({ unit: null, maxThroughput: null });
    const failed = await runSweep(smallSweep(), async () => ({ failure: { code: "capacity", message: "no" } }));
    expect(seriesSaturation(head, 0, failed)).toMatchObject({ unit: null, finding: "No point of this server works." });
  });

  it("of a trace asks for no rates, which it does not take", async () => {
    const points = await runSweep(smallSweep(), analytic);
    const ofTrace = points.map((point) => ({ ...point, strategy: "trace" as const, rate: null }));
    expect(seriesSaturation(head, 0, ofTrace)).toMatchObject({
      unit: null,
      finding: expect.stringContaining("--vary timeScale=1,0.5 compares them as servers"),
    });
  });

  it("of a simulated server lies where its capacity is", async () => {
    const capacity = { maxRequests: 150, data: { kind: "synthetic", promptTokens: 100, outputTokens: 40 } };
    const config = (profile: object) =>
      smallConfig(profile, { engine: { maxNumSeqs: 4 }, workload: { ...capacity, profile } });
    const [full] = await runSweep(
      smallSweep({ series: [{ ...head, configs: [config({ kind: "throughput" })] }] }),
      simulateHere,
    );
    const perS = (full as { throughput: { requestsPerS: number } }).throughput.requestsPerS;
    const configs = [0.4, 0.7, 1.4, 2].map((share) => config({ kind: "poisson", rate: share * perS }));
    const found = seriesSaturation(
      head,
      0,
      await runSweep(smallSweep({ series: [{ ...head, configs }] }), simulateHere),
    );
    expect(found.sustainedLoad).toBeLessThan(perS);
    expect(found.saturatedLoad).toBeGreaterThan(perS);
    expect(found.throughputKnee).toEqual({ followed: found.sustainedLoad, fellBehind: found.saturatedLoad });
  });
});
