import { describe, expect, it } from "vitest";
import { type Check, checkWords, finding } from "../../../../../src/core/evaluation/hypotheses/finding.js";

const check = (what: string, holds: boolean): Check => ({
  what,
  whatBelowZero: null,
  loads: [],
  value: holds ? 5 : 1,
  unit: "points",
  required: "≥ 3",
  holds,
});
const yes = [check("good", true)];
const no = [check("good", true), check("bad", false)];

describe("the words of a check", () => {
  const falls = { what: "TPOT falls by", whatBelowZero: "TPOT rises by", unit: "points", required: "", loads: [] };

  it("say that an error rises where it falls by less than nothing", () => {
    expect(checkWords({ ...falls, value: -1 })).toEqual({ what: "TPOT rises by", value: "1.0 points" });
    expect(checkWords({ ...falls, value: 1 })).toEqual({ what: "TPOT falls by", value: "1.0 points" });
  });

  it("keep the sign of what has no other name below zero", () => {
    expect(checkWords({ ...falls, whatBelowZero: null, value: -1, unit: "" }).value).toBe("-1.0");
  });

  it("stand in the reason of a verdict", () => {
    const rises: Check = { ...falls, value: -1, required: "a fall ≥ 3", holds: false };
    const { reason } = finding("H2", [], { "roofline-v2": yes, additive: [rises] });
    expect(reason).toContain("TPOT rises by 1.0 points (asked: a fall ≥ 3)");
  });
});

describe("a finding is", () => {
  it("accepted when all checks hold from both ends", () => {
    const { verdict, reason } = finding("H5", yes, { "roofline-v2": yes, additive: yes });
    expect([verdict, reason]).toEqual(["accepted", "every check holds from both ends"]);
  });

  it("rejected when real runs say no from both ends, naming what failed", () => {
    const { verdict, reason } = finding("H3", yes, { "roofline-v2": no, additive: no });
    expect(verdict).toBe("rejected");
    expect(reason).toBe(
      "added to roofline-v2: bad 1.0 points (asked: ≥ 3); taken from additive: bad 1.0 points (asked: ≥ 3)",
    );
  });

  it("rejected when the simulator itself says no", () => {
    const { verdict, reason } = finding("H4", no, { "roofline-v2": yes, additive: yes });
    expect([verdict, reason]).toEqual(["rejected", "inside the simulator: bad 1.0 points (asked: ≥ 3)"]);
  });

  it.each([
    ["additive", no, yes],
    ["roofline-v2", yes, no],
  ])("undecidable when only the end %s says yes", (end, v2, additive) => {
    const { verdict, reason } = finding("H1", [], { "roofline-v2": v2, additive });
    expect(verdict).toBe("undecidable");
    expect(reason).toContain(`holds from ${end}, not from`);
  });

  it("undecidable when the data has no such runs, whatever the others say", () => {
    const unknown = { ...check("more than of MHA models by", true), value: Number.NaN, holds: null };
    const { verdict, reason } = finding("H3", [], { "roofline-v2": [unknown], additive: yes });
    expect([verdict, reason]).toEqual([
      "undecidable",
      "this data cannot say: more than of MHA models by (no such runs)",
    ]);
    expect(finding("H3", [], { "roofline-v2": [unknown, ...no], additive: no }).verdict).toBe("rejected");
  });
});
