import { describe, expect, it, test } from "vitest";
import { changeWindow } from "../../../../../src/core/analysis/diff/changeTimeline.js";
import type { ComparedRequest, ComparedRun } from "../../../../../src/core/analysis/diff/comparedRun.js";
import { type PairedChange, pairedChange } from "../../../../../src/core/analysis/diff/pairedChange.js";
import { pairRequests } from "../../../../../src/core/analysis/diff/pairRequests.js";
import { withDecode } from "./comparedRuns.js";

/** A run of requests each 100 ms after the last, of the given workload and seed. */
function evenRun(numRequests: number, { rate = 10, seed = 42 } = {}): ComparedRun {
  const requests = Array.from(
    { length: numRequests },
    (_, i): ComparedRequest => ({
      id: `req-${i}`,
      status: "completed",
      arrivalUs: i * 100_000,
      numPromptTokens: 100 + i,
      maxTokens: 10,
      waitingMs: 1,
      prefillMs: 20,
      decodeMs: 90,
      interTokenMs: 10,
    }),
  );
  const config = { workload: { profile: { kind: "poisson", rate } }, seed };
  return { name: "run", summary: { config }, requests, steps: null } as unknown as ComparedRun;
}

function change(a: ComparedRun, b: ComparedRun, noInterval: string | null = null): PairedChange {
  const pairing = pairRequests(a, b);
  if (!pairing.isPaired) throw new Error(pairing.reason);
  return pairedChange(pairing.pairs, { ...pairing, noInterval });
}

const e2eOf = ({ latencies }: PairedChange) => latencies.find(({ latency }) => latency === "e2eMs");

describe("requests of two runs beside each other", () => {
  const base = evenRun(200);

  it("finds a planted slowdown: which requests, how much, when, and in which part of their lives", () => {
    const paired = change(
      base,
      withDecode(base, ({ arrivalUs }) => (arrivalUs >= 8e6 && arrivalUs < 10e6 ? 50 : 0)),
    );
    expect(e2eOf(paired)).toMatchObject({ numPairs: 200, numSlower: 20, numFaster: 0, medianMs: 0, meanMs: 5 });
    expect(paired.e2eParts.map(({ change }) => change)).toEqual([0, 0, 5]);
    const window = paired.timeline?.e2eMs.window;
    expect(window?.fromS).toBeGreaterThan(7.5);
    expect(window?.toS).toBeLessThan(10.5);
    expect(window?.share).toBeGreaterThanOrEqual(0.5);
    expect(paired.timeline?.ttftMs.window).toBeNull();
  });

  test.each([
    ["every request alike", () => 3, "change"],
    ["as many requests slower as faster", (_: ComparedRequest, i: number) => (i % 4 < 2 ? 3 : -3.01), "chance"],
    // Two hundred requests that share their luck are one piece of evidence, not two hundred.
    ["the first twentieth of the run alone", (_: ComparedRequest, i: number) => (i < 10 ? 500 : 0), "chance"],
    ["nothing", () => 0, "none"],
  ] as const)("tells a change from chance: %s", (_, changeMs, verdict) => {
    expect(e2eOf(change(base, withDecode(base, changeMs)))?.verdict).toBe(verdict);
  });

  it("says that few requests do not tell", () => {
    const few = evenRun(39);
    expect(
      e2eOf(
        change(
          few,
          withDecode(few, () => 3),
        ),
      ),
    ).toMatchObject({ meanInterval: null, verdict: "unknown" });
    const enough = evenRun(40);
    expect(
      e2eOf(
        change(
          enough,
          withDecode(enough, () => 3),
        ),
      )?.verdict,
    ).toBe("change");
  });

  it("gives no interval and no verdict where one run cannot tell, but counts and means", () => {
    const slower = withDecode(base, (_, i) => i % 3);
    const paired = change(base, slower, "a queue formed");
    expect(paired.noInterval).toBe("a queue formed");
    expect(e2eOf(paired)).toMatchObject({ meanInterval: null, verdict: "unknown", numFaster: 0 });
    expect(e2eOf(paired)?.meanMs).toBe(e2eOf(change(base, slower))?.meanMs);
    expect(e2eOf(change(base, base, "a queue formed"))?.verdict).toBe("none");
  });

  it("leaves requests out that one run alone completed, and counts them", () => {
    const requests = (base.requests ?? []).map((request, i) =>
      i < 5 ? { ...request, status: "aborted" as const } : request,
    );
    const paired = change({ ...base, requests }, { ...base, requests: (base.requests ?? []).slice(0, 190) });
    expect(paired).toMatchObject({ numPairs: 185, numOnlyA: 10, numOnlyB: 5 });
  });

  it("does not depend on the order of the rows", () => {
    const slower = withDecode(base, (_, i) => i);
    const shuffled = { ...slower, requests: [...(slower.requests ?? [])].reverse() };
    expect(change(base, shuffled)).toEqual(change(base, slower));
  });
});

describe("pairing", () => {
  const base = evenRun(50);
  const reasonOf = (a: ComparedRun, b: ComparedRun) => {
    const pairing = pairRequests(a, b);
    return pairing.isPaired ? null : pairing.reason;
  };

  it("needs the same workload and seed, or every request of one trace at its time", () => {
    const later = (run: ComparedRun) => ({
      ...run,
      requests: (run.requests ?? []).map((request) => ({ ...request, arrivalUs: request.arrivalUs + 1 })),
    });
    expect(reasonOf(base, evenRun(50))).toBeNull();
    expect(reasonOf(base, evenRun(50, { rate: 20 }))).toBeNull();
    expect(reasonOf(base, later(evenRun(50, { rate: 20 })))).toBe("the workloads differ");
    expect(reasonOf(base, later(evenRun(50, { seed: 7 })))).toBe("the seeds differ, so the requests do");
    expect(reasonOf(base, evenRun(49, { seed: 7 }))).toBe("the seeds differ, so the requests do");
  });

  it("looks at what was asked, not at ids alone", () => {
    const longer = { ...base, requests: (base.requests ?? []).map((request) => ({ ...request, maxTokens: 11 })) };
    expect(reasonOf(base, longer)).toContain("the requests differ, though workload and seed are the same");
  });

  it("says what is missing", () => {
    expect(reasonOf(base, { ...base, name: "b.json", requests: null })).toContain("no requests.jsonl with b.json");
  });
});

test.each([
  [[0, 1, 8, 1, 0], { from: 2, to: 3, share: 0.8 }],
  [[1, 1, 1, 1], { from: 0, to: 2, share: 0.5 }],
  [[-4, -1, -5], { from: 2, to: 3, share: 0.5 }],
  [[5, -4, 0, 1], null],
  [[6, -1, 0, 1], { from: 0, to: 1, share: 1 }],
  [[1, -1], null],
])("the window of %j", (values, expected) => {
  expect(changeWindow(values)).toEqual(expected);
});
