import { describe, expect, it } from "vitest";
import { lostRequestsNote } from "../../../../../src/core/analysis/sweep/lostRequests.js";
import { runSweep } from "../../../../../src/core/analysis/sweep/runSweep.js";
import { sweepResult } from "../../../../../src/core/analysis/sweep/sweepResult.js";
import type { RunTask } from "../../../../../src/core/analysis/sweep/sweepTask.js";
import type { RequestCounts } from "../../../../../src/core/metrics/recordColumns.js";
import { smallRates, smallSweep, someRun } from "./smallSweep.js";

const NONE = { submitted: 100, completed: 100, rejected: 0, aborted: 0, unfinished: 0 };

/** A server's points at 1, 2, … requests/s, with these counts. */
async function pointsOf(label: string, counts: readonly Partial<RequestCounts>[]) {
  const series = [{ label, varied: {}, configs: smallRates(...counts.map((_, i) => i + 1)) }];
  const sweep = smallSweep({ series });
  const run: RunTask = async ({ point }) => ({ run: someRun({ requests: { ...NONE, ...counts[point.index] } }) });
  return { sweep, points: await runSweep(sweep, run) };
}

const noteOf = async (label: string, ...counts: Partial<RequestCounts>[]) =>
  lostRequestsNote(label, (await pointsOf(label, counts)).points);

describe("the note of requests that do not complete", () => {
  it("is none where most of them do, at every load", async () => {
    expect(await noteOf("", {}, { completed: 50, rejected: 50 })).toBeNull();
  });

  it("names the worst load with its numbers, and what helps against what happened", async () => {
    const lost = [{}, { completed: 40, aborted: 60 }, { completed: 10, aborted: 70, rejected: 20 }];
    const note = await noteOf("gpu=L40S", ...lost);
    expect(note).toMatch(
      /^gpu=L40S: at 2 of 3 loads most requests do not complete, the most at poisson 3\/s: of 100 requests 20 rejected, 70 given up by their clients;/,
    );
    expect(note).toContain("--timeout-s");
    expect(note).toContain("--max-model-len");
    expect(note).not.toContain("--max-seconds");
  });

  it("counts one load as one", async () => {
    expect(await noteOf("", { completed: 0, unfinished: 100 })).toMatch(
      /^at 1 of 1 loads most requests do not complete, at poisson 1\/s: of 100 requests 100 unfinished at the end;.*--max-seconds/,
    );
  });

  it("stands once among the notes of a sweep", async () => {
    const { sweep, points } = await pointsOf("", [
      { completed: 1, aborted: 99 },
      { completed: 0, aborted: 100 },
    ]);
    const { notes } = sweepResult(sweep, { axes: [], rates: [1, 2], guidellmSize: null, seeds: [42] }, points);
    expect(notes.filter((note) => note.includes("do not complete"))).toHaveLength(1);
  });
});
