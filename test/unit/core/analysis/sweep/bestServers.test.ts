import { describe, expect, it } from "vitest";
import { bestServers } from "../../../../../src/core/analysis/sweep/bestServers.js";
import { runSweep } from "../../../../../src/core/analysis/sweep/runSweep.js";
import { seriesSaturation } from "../../../../../src/core/analysis/sweep/saturation.js";
import type { RunTask } from "../../../../../src/core/analysis/sweep/sweepTask.js";
import { parseSlo } from "../../../../../src/core/metrics/slo.js";
import { smallRates, smallSweep, someRun } from "./smallSweep.js";

const base = someRun();
const NUM_REQUESTS = 10_000;

interface Server {
  readonly label: string;
  /** What it serves at most, requests/s, with each seed. */
  readonly capacities: readonly number[];
  readonly numGpus?: number;
}

/** Servers whose TTFT is 100 ms for each request/s offered; past its capacity a queue grows. */
async function ranked(servers: readonly Server[], rates: readonly number[], slo: string | null = null) {
  const numSeeds = servers[0]!.capacities.length;
  const series = await Promise.all(
    servers.map(async ({ label, capacities, numGpus = 1 }, index) => {
      const serve: RunTask = async ({ config, repetition }) => {
        const rate = "rate" in config.workload.profile ? config.workload.profile.rate : 0;
        const capacity = capacities[repetition]!;
        const arrivalSpanS = NUM_REQUESTS / rate;
        const meanS = rate <= capacity ? 1 : (NUM_REQUESTS / capacity - arrivalSpanS) / 2;
        const ttft = { ...base.ttftMs, p99: 100 * rate + capacity };
        return {
          run: {
            ...base,
            arrivalSpanS,
            requests: { ...base.requests, submitted: NUM_REQUESTS, completed: NUM_REQUESTS },
            ttftMs: ttft,
            e2eMs: { ...base.e2eMs, mean: 1000 * meanS },
            throughput: { ...base.throughput, requestsPerS: Math.min(rate, capacity) },
            regime: { ...base.regime, label: rate > capacity ? "past" : "below", closedLoop: false },
          },
        };
      };
      const head = { label, varied: {}, hasSessions: false };
      const seeds = Array.from({ length: numSeeds }, (_, i) => i);
      const points = await runSweep(smallSweep({ series: [{ ...head, configs: smallRates(...rates) }], seeds }), serve);
      return { saturation: seriesSaturation(head, index, points), points, numGpus, turnsPerStart: 1 };
    }),
  );
  return bestServers(series, slo === null ? null : parseSlo(slo), numSeeds);
}

describe("the best of several servers", () => {
  const rates = [2, 4, 8, 16];

  it("is followed by one that keeps the SLO at none of the loads tried, said so", async () => {
    const servers = [
      { label: "A", capacities: [10] },
      { label: "B", capacities: [9000] },
    ];
    expect((await ranked(servers, [2, 4], "p99 ttft<=500ms"))?.finding).toContain("next B (none of the loads tried)");
  });

  it("is the one that serves most where it saturates, whatever the order", async () => {
    const [small, large] = [
      { label: "A", capacities: [5] },
      { label: "B", capacities: [10] },
    ];
    const found = await ranked([small, large], rates);
    expect(found?.best).toEqual(["B"]);
    expect(found?.finding).toBe("B carries most: 10 requests/s; next A (5 requests/s), one seed each.");
    expect((await ranked([large, small], rates))?.best).toEqual(["B"]);
  });

  it("are several where the intervals of their seeds overlap, and one where they do not", async () => {
    const alike = [
      { label: "A", capacities: [9.9, 10, 10.1] },
      { label: "B", capacities: [9.8, 10, 10.1] },
      { label: "C", capacities: [5, 5.01, 5.02] },
    ];
    const found = await ranked(alike, rates);
    expect(found?.best).toEqual(["A", "B"]);
    expect(found?.finding).toContain("the seeds do not tell them apart; next C (5.01 requests/s)");
    const apart = [alike[0]!, { label: "B", capacities: [9.3, 9.31, 9.32] }];
    expect((await ranked(apart, rates))?.best).toEqual(["A"]);
  });

  it("are several where no rate was too much for them", async () => {
    const servers = [
      { label: "A", capacities: [20] },
      { label: "B", capacities: [30] },
      { label: "C", capacities: [5] },
    ];
    const found = await ranked(servers, rates);
    expect(found?.best).toEqual(["A", "B"]);
    expect(found?.finding).toContain("every rate, up to 16 requests/s): the rates do not tell them apart; next C");
  });

  it("is said for each GPU as well, where servers have different numbers of them", async () => {
    const servers = [
      { label: "tp=1", capacities: [6], numGpus: 1 },
      { label: "tp=2", capacities: [10], numGpus: 2 },
    ];
    expect((await ranked(servers, rates))?.finding).toMatch(
      /^tp=2 carries most.*; per GPU most by tp=1, 6 requests\/s\.$/,
    );
  });

  it("by an SLO keeps it up to the highest load, and seeds that straddle the limit leave it open", async () => {
    const servers = [
      { label: "A", capacities: [5, 5] },
      { label: "B", capacities: [100, 100] },
    ];
    // TTFT is 405 and 500 ms at 4 requests/s, 805 and 900 ms at 8.
    const strict = await ranked(servers, rates, "p99 ttft<=450ms");
    expect(strict).toMatchObject({ by: "slo", best: ["A"] });
    expect(strict?.finding).toBe("Within the SLO A carries most: 4 requests/s; next B (2 requests/s).");
    expect((await ranked(servers, rates, "p99 ttft<=550ms"))?.best).toEqual(["A", "B"]);
    const unsure = [servers[0]!, { label: "B", capacities: [40, 60] }];
    expect((await ranked(unsure, rates, "p99 ttft<=449ms"))?.best).toEqual(["A", "B"]);
    expect((await ranked(servers, rates, "p99 ttft<=1ms"))?.finding).toBe("The SLO is kept at none of the rates.");
    expect((await ranked(servers.slice(0, 1), rates, "p99 ttft<=450ms"))?.finding).toBe(
      "Within the SLO up to 4 requests/s.",
    );
  });

  it("by an SLO does not count what a run kept only because it ended early, or before its queue was long", async () => {
    const servers = [
      { label: "A", capacities: [5] },
      { label: "B", capacities: [100] },
    ];
    // Past its capacity A still has a TTFT of 805 ms, within the limit.
    const found = await ranked(servers, rates, "p99 ttft<=1000ms");
    expect(found?.ranking.map(({ label, requestsPerS }) => [label, requestsPerS])).toEqual([
      ["B", 8],
      ["A", 4],
    ]);
  });

  it("is followed by the next that is not among the best, also where one of these ranks lower", async () => {
    const servers = [
      { label: "A", capacities: [10, 10.1, 10.2] },
      { label: "B", capacities: [7, 7.01, 7.02] },
      { label: "C", capacities: [2, 6, 10] },
    ];
    const found = await ranked(servers, rates);
    expect(found?.best).toEqual(["A", "C"]);
    expect(found?.finding).toContain("; next B (7.");
  });

  it("is none where there is one", async () => {
    expect(await ranked([{ label: "A", capacities: [5] }], rates)).toBeNull();
  });
});
