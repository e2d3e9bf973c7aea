import { describe, expect, it } from "vitest";
import { RecordColumns } from "../../../../src/core/metrics/recordColumns.js";
import { type RegimeEvidence, regimeOf as regimeOfColumns } from "../../../../src/core/metrics/regime.js";
import { seenErrors } from "../../../../src/core/metrics/regimeErrors.js";
import type { RequestRecord } from "../../../../src/core/metrics/requestRecord.js";

const S = 1_000_000;

/** Requests one second apart, each served for a second after a wait that may depend on its number. */
function requests(count: number, waitS: (i: number) => number, changes: Partial<RequestRecord> = {}): RequestRecord[] {
  return Array.from({ length: count }, (_, i) => {
    const arrivalUs = i * S + 137 * i;
    const firstScheduledUs = Math.round(arrivalUs + waitS(i) * S);
    return record({ id: `r${i}`, arrivalUs, firstScheduledUs, lastTokenUs: firstScheduledUs + S, ...changes });
  });
}

function record(fields: Partial<RequestRecord>): RequestRecord {
  const { arrivalUs = 0, firstScheduledUs = arrivalUs } = fields;
  return {
    id: "r",
    sessionId: null,
    status: "completed",
    reason: null,
    arrivalUs,
    firstScheduledUs,
    firstTokenUs: firstScheduledUs + S / 10,
    lastTokenUs: firstScheduledUs + S,
    queueUs: firstScheduledUs - arrivalUs,
    numPromptTokens: 10,
    numCachedTokens: 0,
    numOutputTokens: 10,
    numPreemptions: 0,
    ...fields,
  };
}

const evidence = (limitedFraction: number, loadElasticity = 0) => ({
  limitedUs: limitedFraction * 100 * S,
  simulatedUs: 100 * S,
  loadElasticity,
});
const noWait = () => 0;

function regimeOf(records: readonly RequestRecord[], given: RegimeEvidence) {
  return regimeOfColumns(RecordColumns.of(records), given);
}

describe("the regime of a run", () => {
  it("is below saturation when nobody waits and requests cost each other little", () => {
    const regime = regimeOf(requests(100, noWait), evidence(0, 0.2));
    expect(regime).toMatchObject({ label: "below", closedLoop: false, limitedFraction: 0, sharedFraction: 0.2 });
    expect(regime.utilisation).toBeCloseTo(0.2, 12);
    expect(regime.queueGrowth).toBeCloseTo(0, 12);
  });

  it("joins sharing and waiting in the utilisation", () => {
    expect(regimeOf(requests(100, noWait), evidence(0.2, 0.25)).utilisation).toBeCloseTo(1 - 0.8 * 0.75, 12);
  });

  it.each([
    ["requests cost each other half of a step", evidence(0, 0.5)],
    ["somebody waits a quarter of the time", evidence(0.25)],
  ])("is near saturation when %s", (_, given) => {
    expect(regimeOf(requests(100, noWait), given).label).toBe("near");
  });

  it("is past saturation when waits grow with the run: an overloaded queue grows by 1 − capacity/load per second", () => {
    const regime = regimeOf(
      requests(100, (i) => 0.2 * i),
      evidence(0.9),
    );
    expect(regime.label).toBe("past");
    expect(regime.queueGrowth).toBeCloseTo(0.2, 3);
  });

  it("does not take a full server whose queue stays as it is for an overloaded one", () => {
    const steady = requests(100, (i) => 3 + 0.1 * (i % 3));
    expect(regimeOf(steady, evidence(0.9)).label).toBe("near");
  });

  it("does not take a burst at the end of an idle run for overload", () => {
    const late = requests(100, (i) => (i < 95 ? 0 : (i - 95) * 2));
    expect(regimeOf(late, evidence(0.1)).label).toBe("below");
  });

  it("is past saturation when clients give up as fast as the queue would grow", () => {
    const impatient = requests(100, () => 3).map((request, i) =>
      i % 3 > 0
        ? request
        : { ...request, status: "aborted" as const, firstScheduledUs: Number.NaN, lastTokenUs: Number.NaN },
    );
    expect(regimeOf(impatient, evidence(0.9)).label).toBe("past");
  });

  it("knows a closed loop by its arrivals, whatever sent them", () => {
    const turnUs = 1_234_567;
    const chain = Array.from({ length: 20 }, (_, i) =>
      record({ arrivalUs: i * turnUs, lastTokenUs: (i + 1) * turnUs }),
    );
    expect(regimeOf(chain, evidence(0))).toMatchObject({ label: "below", closedLoop: true });
    expect(regimeOf(chain, evidence(0.9))).toMatchObject({ label: "past", closedLoop: true });
  });

  it("counts a backlog sent at once as a load that follows the server", () => {
    const backlog = Array.from({ length: 20 }, (_, i) => record({ arrivalUs: i, firstScheduledUs: i * S }));
    expect(regimeOf(backlog, evidence(0.9))).toMatchObject({ label: "past", closedLoop: true });
  });

  it("does not take a short open loop for a backlog: answers begin while it is still sending", () => {
    const short = Array.from({ length: 8 }, (_, i) =>
      record({ arrivalUs: i * 0.06 * S, firstScheduledUs: i * 0.06 * S, lastTokenUs: 10 * S }),
    );
    expect(regimeOf(short, evidence(0.1))).toMatchObject({ label: "below", closedLoop: false });
  });

  it("has numbers only for nothing served, and for one request", () => {
    const nothing = { limitedUs: 0, simulatedUs: 0, loadElasticity: 0 };
    expect(regimeOf([], nothing)).toMatchObject({ label: "below", utilisation: 0, queueGrowth: null });
    expect(regimeOf(requests(1, noWait), evidence(0))).toMatchObject({ label: "below", queueGrowth: null });
    const lost = requests(9, noWait, { status: "aborted", firstScheduledUs: Number.NaN, lastTokenUs: Number.NaN });
    expect(regimeOf(lost, evidence(0.9)).label).toBe("past");
  });
});

describe("errors seen in a regime", () => {
  it("are told apart by label, and for closed loops by nothing else", () => {
    const near = seenErrors({ label: "near", closedLoop: false });
    expect(near?.e2eMeanApe).toBeGreaterThan(seenErrors({ label: "below", closedLoop: false })?.e2eMeanApe ?? 0);
    expect(seenErrors({ label: "near", closedLoop: true })).toBe(seenErrors({ label: "past", closedLoop: true }));
    expect(seenErrors({ label: "past", closedLoop: false })).toBeNull();
  });
});
