import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { distribution } from "../../src/core/metrics/distribution.js";
import type { RequestRecord } from "../../src/core/metrics/requestRecord.js";
import { lockstepRun, runFast, runPlain } from "./lockstepRuns.js";

const SEED = 20261127;
/** What a bin is wide, of its numbers. */
const BIN_WIDTH = 2 ** -9;

const sumOver = (records: readonly RequestRecord[], of: (record: RequestRecord) => number) =>
  records.filter(({ firstTokenUs }) => !Number.isNaN(firstTokenUs)).reduce((sum, record) => sum + of(record), 0);

describe("the gaps between tokens that an engine counts", () => {
  it("are those that clients saw, one by one", () => {
    let numGaps = 0;
    let numFar = 0;
    fc.assert(
      fc.property(lockstepRun, (run) => {
        const { records, stats } = runFast(run);
        const { gapsUs } = stats;
        expect(gapsUs.count).toBe(sumOver(records, ({ numOutputTokens }) => numOutputTokens - 1));
        expect(gapsUs.sum).toBeCloseTo(
          sumOver(records, ({ firstTokenUs, lastTokenUs }) => lastTokenUs - firstTokenUs),
          3,
        );
        const seen = distribution(runPlain(run).seenGapsUs);
        const counted = gapsUs.distribution();
        expect(counted).toMatchObject({ count: seen.count, min: seen.min, max: seen.max });
        for (const percentile of ["p50", "p90", "p95", "p99"] as const) {
          const exact = seen[percentile] ?? 0;
          expect(Math.abs((counted[percentile] ?? 0) - exact)).toBeLessThanOrEqual(BIN_WIDTH * exact);
        }
        numGaps += seen.count;
        // Gaps that no mean of a request shows.
        numFar += Number((seen.p99 ?? 0) > 2 * (seen.p50 ?? 0));
      }),
      { seed: SEED, numRuns: 1000 },
    );
    expect(numGaps).toBeGreaterThan(80_000);
    expect(numFar).toBeGreaterThan(60);
  }, 300_000);
});
