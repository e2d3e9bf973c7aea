import type { Hypothesis } from "../../core/config/pricingConfig.js";
import { type Check, checkWords, type Finding } from "../../core/evaluation/hypotheses/finding.js";
import type { LoadPoint } from "../../core/evaluation/hypotheses/loadPoints.js";
import { type AblationRow, ablationName, type LabReport } from "../../core/evaluation/hypotheses/testHypotheses.js";
import { barSvg, lineSvg } from "./linePlots.js";

/** What each hypothesis says, for readers. */
export const HYPOTHESIS_TITLES: Readonly<Record<Hypothesis, string>> = {
  H1: "achieved instead of datasheet memory bandwidth",
  H2: "a time per step beyond the kernels, instead of 50 µs",
  H3: "fused QKV and gate-up products instead of split ones",
  H4: "a roofline per kernel instead of one over the step",
  H5: "an additive mix of prefill and decode instead of a weighted one",
  H6: "interpolated instead of nearest efficiencies",
};

const PICTURES: Partial<Record<Hypothesis, string>> = { H4: "h4.svg", H5: "h5.svg", H6: "h6.svg" };

/** A file of the report: its name and its text. */
export type ReportFile = readonly [name: string, text: string];

/**
 * The report of a lab: README.md and its pictures. Equal reports give equal bytes.
 * @param command the command line that makes it, printed beside the figures
 */
export function hypothesesReport(report: LabReport, command: string): ReportFile[] {
  return [
    ["README.md", markdown(report, command)],
    ["ablation.svg", barSvg("Error of TPOT by model", report.ablation.map(ablationBar), "mean |error| of TPOT, %")],
    ["h4.svg", kvLengthPicture(report)],
    ["h5.svg", mixPicture(report)],
    ["h6.svg", jumpPicture(report)],
  ];
}

function markdown(report: LabReport, command: string): string {
  const { findings, ablation, low, high } = report;
  return `${[
    "# Six hypotheses, tested",
    `Written by \`${command}\`.`,
    "The additive model corrects roofline-v2 in six ways. Each correction is tried alone, from both ends: added to\n" +
      "roofline-v2, and taken from the additive model. A hypothesis is accepted when every check holds, rejected when it\n" +
      "fails inside the simulator or from both ends, and undecidable when the two ends contradict each other (then what the\n" +
      "correction does depends on what else the model gets wrong) or the runs at hand cannot answer. Points are points of\n" +
      "percent of the mean |error|.",
    `Part A prices steps inside the simulator. Part B replays ${low.length} measured experiments, each at its lightest load,\n` +
      "where an error of step time is an error of latency and not of queues; H5 looks at the heaviest load as well.",
    table(
      ["hypothesis", "verdict", "why"],
      findings.map(({ hypothesis, verdict, reason }) => [
        `${hypothesis}: ${HYPOTHESIS_TITLES[hypothesis]}`,
        `**${verdict}**`,
        reason,
      ]),
    ),
    "## What each correction is worth",
    "Mean |error| of the run means at the lightest loads, percent. From the additive model the named correction is taken\naway; to roofline-v2 it is added.",
    table(["model", "E2E", "TTFT", "TPOT"], ablation.map(ablationCells)),
    "![TPOT error by model](ablation.svg)",
    restText(ablation),
    ERROR_TEXT,
    ...findings.map((finding) => section(finding, report)),
    "## Load points",
    table(
      ["run", "load", "requests", "requests/s"],
      [...low.map(loadCells("lightest")), ...high.map(loadCells("heaviest"))],
    ),
  ].join("\n\n")}\n`;
}

function section(finding: Finding, report: LabReport): string {
  const { hypothesis, synthetic, real } = finding;
  const rows = [
    ...synthetic.map((check) => checkCells("A: simulator", check)),
    ...real["roofline-v2"].map((check) => checkCells("B: added to roofline-v2", check)),
    ...real.additive.map((check) => checkCells("B: taken from additive", check)),
  ];
  const picture = PICTURES[hypothesis];
  return [
    `## ${hypothesis}: ${HYPOTHESIS_TITLES[hypothesis]}`,
    table(["part", "load", "check", "value", "asked", "holds"], rows),
    ...(hypothesis === "H2" ? [overheadText(report)] : []),
    ...(hypothesis === "H1" || hypothesis === "H4" ? [MFU_TEXT] : []),
    ...(hypothesis === "H6" ? [TABLES_TEXT] : []),
    ...(picture === undefined ? [] : [`![${hypothesis}, part A](${picture})`]),
  ].join("\n\n");
}

/** Why two corrections move nothing in roofline-v2. */
const MFU_TEXT =
  "roofline-v2 prices a kernel at the MFU of a table row, and the row's latency has the memory time in it already: the sum of\n" +
  "its kernels is never below the bytes at peak bandwidth. Added to it, this correction can change next to nothing, whatever the\n" +
  "runs say; its verdict there is about the model, not about GPUs.";

/** What H6 changes besides. */
const TABLES_TEXT =
  "Without H6 a kernel is priced from the nearest row of kernel tables, with it from the surfaces fitted to a GPU's operator\n" +
  "measurements, unless `--bench-data` names tables to interpolate. So at both ends the correction changes the data as well as\n" +
  "the reading of it; what is gained is the sum of the two. A jump is counted once, although the price leaves the straight\n" +
  "line on both of its sides.";

/** The two ways in which TTFT errors are told. */
const ERROR_TEXT =
  "These are errors of a run's mean: |predicted mean / measured mean − 1|. `roofserve evaluate` also prints the mean over\n" +
  "requests of each one's own |error|, which is larger where requests share steps, for TTFT by far: when within a step a request\n" +
  "arrives, and beside whom it is computed, moves its TTFT by a step either way, and a mean over the run evens that out. The two\n" +
  "say different things; neither is to be laid beside the other.";

/** What the six do not explain of the way from roofline-v2 to the additive model. */
function restText(ablation: readonly AblationRow[]): string {
  const [rest, full] = [errorsOf(ablation, "roofline-v2", "all"), errorsOf(ablation, "additive", null)];
  return (
    `Part of the way lies outside the six: roofline-v2 with all of them still errs by ${percents(rest)} % (E2E, TTFT, TPOT),\n` +
    `the additive model by ${percents(full)} %. It lacks two things that no hypothesis names: shapes as they run (linear layers at\n` +
    "the CUDA graph's size, each decode at its own context, prefill sequences not rounded up to powers of two), and the operators\n" +
    "that roofline-v2 leaves out (norms, LM head, sampling, all-reduces beyond a constant)."
  );
}

function errorsOf(ablation: readonly AblationRow[], stepModel: string, toggled: AblationRow["toggled"]): number[] {
  const row = ablation.find((candidate) => candidate.stepModel === stepModel && candidate.toggled === toggled);
  return row === undefined ? [] : [row.e2eError, row.ttftError, row.tpotError];
}

function percents(errors: readonly number[]): string {
  return errors.map((error) => error.toFixed(1)).join(", ");
}

/** What H2's sweep chose, and what the additive model has in its place. */
function overheadText({ overheads, ablation }: LabReport): string {
  const chosen = (end: "roofline-v2" | "additive") => overheads[end].map(({ overheadMs }) => overheadMs).join(", ");
  const tpot = (toggled: Hypothesis | null) => errorsOf(ablation, "additive", toggled)[2] ?? Number.NaN;
  return (
    "The checks are of one constant per step, swept by 1 ms (until every run is too slow) and chosen on 70 % of the experiments, five times over: " +
    `chosen were ${chosen("roofline-v2")} ms on roofline-v2 and ${chosen("additive")} ms on the additive model without H2. ` +
    "The additive model has no such constant: its gaps grow with the layers and the ranks, and CPU time counts where " +
    `scheduling is synchronous. In that form the correction takes TPOT's |error| from ${tpot("H2").toFixed(1)} to ` +
    `${tpot(null).toFixed(1)} %.`
  );
}

function checkCells(part: string, check: Check): string[] {
  const { loads, required, holds } = check;
  const { what, value } = checkWords(check);
  const answer = holds === null ? "cannot say" : holds ? "yes" : "**no**";
  return [part, loads.length === 0 ? "–" : loads.join(", "), what, holds === null ? "–" : value, required, answer];
}

function ablationCells({ stepModel, toggled, e2eError, ttftError, tpotError }: AblationRow): string[] {
  return [ablationName(stepModel, toggled), e2eError.toFixed(1), ttftError.toFixed(1), tpotError.toFixed(1)];
}

function ablationBar({ stepModel, toggled, tpotError }: AblationRow) {
  return { group: stepModel, label: ablationName(stepModel, toggled), value: tpotError };
}

const loadCells =
  (load: string) =>
  ({ run, firstIndex, endIndex, requestsPerS }: LoadPoint): string[] => [
    run.name,
    load,
    String(endIndex - firstIndex),
    requestsPerS.toFixed(2),
  ];

function kvLengthPicture({ kvLengthSweeps }: LabReport): string {
  const points = kvLengthSweeps.flatMap(({ server, batchSize, points }) =>
    points.map(({ x, onUs, offUs }) => ({
      facet: server,
      line: `batch ${batchSize}`,
      x,
      y: 100 * (onUs / offUs - 1),
    })),
  );
  return lineSvg({
    title: "H4: a roofline per kernel and one over the step",
    points,
    xLabel: "KV length, tokens",
    yLabel: "per kernel above aggregate, %",
    xScale: "log",
  });
}

function mixPicture({ mixSweeps }: LabReport): string {
  const points = mixSweeps.flatMap(({ server, points }) =>
    points.flatMap(({ x, onUs, offUs }) => [
      { facet: server, line: "additive", x: 100 * x, y: onUs / 1000 },
      { facet: server, line: "weighted", x: 100 * x, y: offUs / 1000 },
    ]),
  );
  return lineSvg({
    title: "H5: additive and weighted mix",
    points,
    xLabel: "prefill tokens of 512, %",
    yLabel: "step, ms",
    xScale: "linear",
  });
}

function jumpPicture({ jumpCounts }: LabReport): string {
  const points = jumpCounts.flatMap(({ server, byBatch }) =>
    byBatch.flatMap(({ x, onUs, offUs }) => [
      { facet: server, line: "interpolated", x, y: onUs / 1000 },
      { facet: server, line: "nearest", x, y: offUs / 1000 },
    ]),
  );
  return lineSvg({
    title: "H6: interpolated and nearest efficiencies",
    points,
    xLabel: "decode requests at 1024 tokens",
    yLabel: "step, ms",
    xScale: "linear",
  });
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(titles), line(titles.map(() => "---")), ...rows.map(line)].join("\n");
}
