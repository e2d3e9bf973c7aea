import { describe, expect, it } from "vitest";
import { finding } from "../../../../src/core/evaluation/hypotheses/finding.js";
import { errorFalls, mixChecks } from "../../../../src/core/evaluation/hypotheses/realChecks.js";
import type { LabReport } from "../../../../src/core/evaluation/hypotheses/testHypotheses.js";
import { hypothesesReport } from "../../../../src/io/hypotheses/hypothesesReport.js";

const ablationRow = (stepModel: string, toggled: LabReport["ablation"][number]["toggled"], error: number) => ({
  stepModel,
  toggled,
  e2eError: error,
  ttftError: error + 1,
  tpotError: error + 2,
});
const sweep = { server: "a server", points: [128, 256, 512].map((x) => ({ x, onUs: 1, offUs: 1 })) };
const checks = [errorFalls("E2E", -1, 3)];
const ends = { "roofline-v2": checks, additive: checks };
const report: LabReport = {
  findings: [
    finding("H2", [], ends),
    finding("H5", [], { "roofline-v2": mixChecks([], []), additive: [] }),
    finding("H6", [], ends),
  ],
  kvLengthSweeps: [{ ...sweep, batchSize: 32, largest: { kvLen: 128, differenceFraction: 0 } }],
  mixSweeps: [{ ...sweep, numTokens: 512, differenceFractionAtHalf: 0, isMonotone: true }],
  jumpCounts: [{ server: "a server", numTriples: 1, numJumpsOn: 0, numJumpsOff: 1, byBatch: sweep.points }],
  overheads: { "roofline-v2": [], additive: [] },
  ablation: [ablationRow("additive", null, 1), ablationRow("additive", "H2", 2), ablationRow("roofline-v2", "all", 4)],
  low: [],
  high: [],
};

describe("the report of the hypotheses", () => {
  const files = new Map(hypothesesReport(report, "roofserve hypotheses runs/"));
  const page = files.get("README.md")!;
  /** The page as one line. */
  const text = page.replaceAll("\n", " ");

  it("has a page and a picture for each part A", () => {
    expect([...files.keys()]).toEqual(["README.md", "ablation.svg", "h4.svg", "h5.svg", "h6.svg"]);
    expect(hypothesesReport(report, "roofserve hypotheses runs/")).toEqual([...files]);
  });

  it("tells a rise as a rise, with the load that it was seen at", () => {
    expect(page).toContain(
      "| B: taken from additive | lightest | E2E \\|error\\| rises by | 1.0 points | a fall ≥ 3 |",
    );
    expect(page).toContain("| B: added to roofline-v2 | lightest, heaviest | E2E \\|error\\| falls by |");
    expect(page).not.toMatch(/by \| -|by -/);
  });

  it("says what lies outside the six, with the errors of roofline-v2 with all of them", () => {
    expect(page).toContain("| roofline-v2 with all six | 4.0 | 5.0 | 6.0 |");
    expect(text).toContain(
      "with all of them still errs by 4.0, 5.0, 6.0 % (E2E, TTFT, TPOT), the additive model by 1.0",
    );
  });

  it("says that H6 changes the data too, and which errors are not those of evaluate", () => {
    expect(text.slice(text.indexOf("## H6"))).toContain("changes the data as well as the reading of it");
    expect(text).toContain("prints the mean over requests of each one's own |error|");
  });
});
