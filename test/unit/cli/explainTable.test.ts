import { describe, expect, it } from "vitest";
import { explainSentence, explainTable } from "../../../src/cli/explainTable.js";
import type { ExplainReport } from "../../../src/core/analysis/explainReport.js";
import { StepLogExplainer } from "../../../src/core/analysis/stepLogExplainer.js";
import { BUSY, loggedRun } from "../core/analysis/loggedRun.js";

const { header, steps } = loggedRun({ ...BUSY, model: "meta-llama/Llama-2-7b-hf" });
const explainer = new StepLogExplainer(header);
for (const step of steps) explainer.add(step);
const report = explainer.report();

describe("an explained run in words", () => {
  const share = (fraction: number) => ({ us: 100 * fraction, fraction });
  const simple = (changes: Partial<ExplainReport>): ExplainReport => ({
    ...report,
    bounds: [{ bound: "compute", ...share(0.7) }],
    components: [{ name: "gate_up_proj", category: "gemm", steps: 1, boundUs: {}, ...share(0.4) }],
    phases: [
      { phase: "decode-only", steps: 9, meanUs: 1, tokens: 9, ...share(0.1) },
      { phase: "mixed", steps: 1, meanUs: 1, tokens: 9, ...share(0.9) },
    ],
    ...changes,
  });

  it("begins with what dominates: the bound, the component, the phase", () => {
    expect(explainSentence(simple({ busyFraction: 0.99 }))).toBe(
      "Compute binds 70.0 % of the GPU's time; gate_up_proj alone takes 40.0 %, mixed steps 90.0 %.",
    );
  });

  it("says first that the GPU idles, where that is more", () => {
    expect(explainSentence(simple({ busyFraction: 0.2 }))).toMatch(
      /^The GPU idles 80\.0 % of the run; while it runs, compute binds 70\.0 %/,
    );
  });

  it("has one line per component, bound, phase and batch size, and pictures of the load", () => {
    const lines = explainTable(report).split("\n");
    expect(lines[0]).toBe(explainSentence(report));
    for (const { name } of report.components) expect(lines.some((line) => line.startsWith(`${name} `))).toBe(true);
    for (const title of [
      "bound by",
      "decode-only",
      "mixed",
      "requests in the step",
      "KV cache",
      "running",
      "waiting",
    ]) {
      expect(
        lines.some((line) => line.startsWith(title)),
        title,
      ).toBe(true);
    }
    expect(lines.join("\n")).toContain("farthest beyond the data: attention_decode, 4.00 times its edge");
    expect(lines.join("\n")).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("measures a nearest row's distance from that row, not from an edge", () => {
    const farthest = { component: "o_proj", kind: "nearest", lnDistance: Math.LN2, startUs: 1e6 } as const;
    expect(explainTable(simple({ farthest }))).toContain(
      "farthest from its row: o_proj, a shape number 2.00 times the row's or the row's 2.00 times it, first at 1.00 s",
    );
  });

  it("says that a log without steps has none", () => {
    const text = explainTable(new StepLogExplainer(header).report());
    expect(text).toMatch(/^The log holds no step\.\n\nmeta-llama\/Llama-2-7b-hf on 1 × H100/);
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });
});
