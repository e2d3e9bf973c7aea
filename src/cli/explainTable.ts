import type { ComponentTime, ExplainReport, StepGroup } from "../core/analysis/explainReport.js";
import type { Bound } from "../core/analysis/stepLog.js";
import { bucketLabel } from "../core/metrics/countBucket.js";
import { US_PER_S } from "../core/units/units.js";
import { sparkline } from "./sparkline.js";
import { columnsOf, numberColumns, printNumber, textTable } from "./textTable.js";

/** What binds the GPU, as the subject of a sentence. */
const BOUND_WORDS: Readonly<Record<Bound, string>> = {
  memory: "memory bandwidth",
  compute: "compute",
  launch: "the fixed cost of kernels",
  network: "the links between GPUs",
  wait: "waiting between kernels",
};

/** Where a run's time went, for people: the answer in a sentence, then the tables it comes from. */
export function explainTable(report: ExplainReport): string {
  const { model, gpu, tensorParallelSize, stepModel, steps, gpuUs, spanUs, busyFraction } = report;
  const title =
    `${model} on ${tensorParallelSize} × ${gpu}, step model ${stepModel}: ${steps} steps, ` +
    `${seconds(gpuUs)} s of GPU time in ${seconds(spanUs)} s (busy ${percent(busyFraction)})`;
  if (steps === 0) return `${explainSentence(report)}\n\n${title}\n`;
  const tables = [componentTable(report), boundTable(report), phaseTable(report), batchTable(report)];
  return `${explainSentence(report)}\n\n${title}\n\n${tables.join("\n")}\n${loadPicture(report)}\n${lookupTable(report)}`;
}

/** What dominates, in one sentence. */
export function explainSentence({ bounds, components, phases, busyFraction }: ExplainReport): string {
  const [bound] = bounds;
  const [component] = components;
  const phase = [...phases].sort((a, b) => b.us - a.us)[0];
  if (bound === undefined || component === undefined || phase === undefined) return "The log holds no step.";
  const binds = `${BOUND_WORDS[bound.bound]} binds ${percent(bound.fraction)} of the GPU's time`;
  const where = `${component.name} alone takes ${percent(component.fraction)}, ${phase.phase} steps ${percent(phase.fraction)}`;
  const idleFraction = 1 - busyFraction;
  return idleFraction > busyFraction * bound.fraction
    ? `The GPU idles ${percent(idleFraction)} of the run; while it runs, ${binds}, and ${where}.`
    : `${binds.charAt(0).toUpperCase()}${binds.slice(1)}; ${where}.`;
}

function componentTable({ components }: ExplainReport): string {
  const columns = columnsOf("component", "time s#", "share %#", "steps#", "µs per step#", "bound by");
  return textTable(
    columns,
    components.map((component) => [
      component.name,
      seconds(component.us),
      share(component.fraction),
      String(component.steps),
      printNumber(component.us / component.steps),
      boundsOf(component),
    ]),
  );
}

/** `memory 92 %, launch 8 %`: shares of the component's own time; below half a percent left out. */
function boundsOf({ boundUs, us }: ComponentTime): string {
  const parts = Object.entries(boundUs).sort(([, a], [, b]) => b - a);
  if (parts.length === 1) return parts[0]?.[0] ?? "";
  const shown = parts.filter(([, part]) => part / us >= 0.005);
  return shown.map(([bound, part]) => `${bound} ${printNumber((100 * part) / us, 0)} %`).join(", ");
}

function boundTable({ bounds }: ExplainReport): string {
  const rows = bounds.map(({ bound, us, fraction }) => [bound, seconds(us), share(fraction)]);
  return textTable(numberColumns("bound by", "time s", "share %"), rows);
}

function phaseTable({ phases }: ExplainReport): string {
  return groupTable(
    "steps",
    phases.map((group) => [group.phase, group]),
  );
}

function batchTable({ batchSizes }: ExplainReport): string {
  return groupTable(
    "requests in the step",
    batchSizes.map((group) => [bucketLabel(group.requests), group]),
  );
}

function groupTable(title: string, groups: readonly (readonly [name: string, group: StepGroup])[]): string {
  const rows = groups.map(([name, { steps, us, fraction, meanUs, tokens }]) => [
    name,
    String(steps),
    seconds(us),
    share(fraction),
    printNumber(meanUs),
    String(tokens),
  ]);
  return textTable(numberColumns(title, "number", "time s", "share %", "mean µs", "tokens"), rows);
}

/** KV use and queue over time: bars from the start of the run to the last step. */
function loadPicture({ load }: ExplainReport): string {
  const { kvFraction, running, waiting, slices, preemptions } = load;
  const endUs = slices.at(-1)?.endUs ?? 0;
  const kvLine = sparkline(
    slices.map((slice) => slice.kvFraction),
    1,
  );
  const runningLine = sparkline(
    slices.map((slice) => slice.running),
    running.peak,
  );
  const waitingLine = sparkline(
    slices.map((slice) => slice.waiting),
    waiting.peak,
  );
  return `over time, 0 to ${printNumber(endUs / US_PER_S, 0)} s
KV cache  |${kvLine}| full = 100 %; mean ${percent(kvFraction.mean)}, peak ${percent(kvFraction.peak)}, ${preemptions} preemptions
running   |${runningLine}| mean ${printNumber(running.mean)}, peak ${running.peak}
waiting   |${waitingLine}| mean ${printNumber(waiting.mean)}, peak ${waiting.peak}
`;
}

function lookupTable({ lookups, sources, farthest }: ExplainReport): string {
  const rows = lookups.map(({ kind, prices, priceFraction, us, fraction }) => [
    kind,
    String(prices),
    share(priceFraction),
    seconds(us),
    share(fraction),
  ]);
  const table = textTable(numberColumns("prices", "number", "% of prices", "time s", "% of time"), rows);
  const from = sources.map(({ source, fraction }) => `${source} ${percent(fraction)}`).join(", ");
  return `${table}${farthestWords(farthest)}; sources by time: ${from}\n`;
}

function farthestWords(farthest: ExplainReport["farthest"]): string {
  if (farthest === null) return "no price lies beyond the data";
  const { component, kind, lnDistance, startUs } = farthest;
  const times = `${printNumber(Math.exp(lnDistance), 2)} times`;
  return kind === "nearest"
    ? `farthest from its row: ${component}, a shape number ${times} the row's or the row's ${times} it, first at ${seconds(startUs)} s`
    : `farthest beyond the data: ${component}, ${times} its edge, first at ${seconds(startUs)} s`;
}

function seconds(us: number): string {
  return printNumber(us / US_PER_S, 2);
}

function share(fraction: number): string {
  return printNumber(100 * fraction);
}

function percent(fraction: number): string {
  return `${share(fraction)} %`;
}
