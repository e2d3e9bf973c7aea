import type { GpuTimeChange, PartChange } from "../core/analysis/diff/gpuTimeChange.js";
import type { MetricChange } from "../core/analysis/diff/metricChange.js";
import type { PairedChange, PairedLatency, Verdict } from "../core/analysis/diff/pairedChange.js";
import type { RunDiff } from "../core/analysis/diff/runDiff.js";
import { US_PER_MS, US_PER_S } from "../core/units/units.js";
import { changePicture } from "./changePicture.js";
import { configChangeTable } from "./configChangeTable.js";
import { diffSentence } from "./diffSentence.js";
import { columnsOf, numberColumns, printNumber, textTable } from "./textTable.js";

/** Smaller changes are named in one line. */
const LEAST_RELATIVE = 0.0005;

const LATENCY_TITLES: Readonly<Record<PairedLatency, string>> = { ttftMs: "TTFT", interTokenMs: "TPOT", e2eMs: "E2E" };
const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  change: "a change",
  chance: "may be chance",
  none: "none",
  unknown: "too few requests",
};
const PART_TITLES = { waitingMs: "waiting for the first step", prefillMs: "prefill", decodeMs: "decode" } as const;

/** Two runs compared, for people: the answer in a sentence, then the tables it comes from. */
export function diffTable(diff: RunDiff): string {
  const sentence = `${diffSentence(diff)}\n`;
  if (diff.isIdentical) return sentence;
  const sections = [
    `A  ${diff.a.name}\nB  ${diff.b.name}\n`,
    configChangeTable(diff.config),
    metricTable(diff),
    ...(diff.paired === null ? [`requests not paired: ${diff.notPaired}\n`] : pairedTables(diff.paired)),
    ...gpuTables(diff.gpu),
  ];
  return [sentence, ...sections].filter((section) => section !== "").join("\n");
}

function metricTable({ metrics }: RunDiff): string {
  const isMoved = ({ a, b, relative }: MetricChange) =>
    relative === null ? a !== b : Math.abs(relative) >= LEAST_RELATIVE;
  const moved = metrics.filter(isMoved);
  const still = metrics.filter((metric) => !isMoved(metric) && metric.a !== null);
  const rows = moved.map((metric) => [
    metric.name,
    printAmount(metric.a),
    printAmount(metric.b),
    signed(metric.change, printAmount),
    metric.relative === null ? "–" : signed(100 * metric.relative, (percent) => printNumber(percent)),
    judgement(metric),
  ]);
  const table = rows.length === 0 ? "" : textTable(columnsOf("metric", "A#", "B#", "change#", "%#", ""), rows);
  return still.length === 0 ? table : `${table}unchanged: ${still.map(({ name }) => name).join(", ")}\n`;
}

function judgement({ better, change }: MetricChange): string {
  if (better === null || change === null) return "";
  return change < 0 === (better === "lower") ? "better" : "worse";
}

function pairedTables(paired: PairedChange): string[] {
  const { numPairs, numOnlyA, numOnlyB, timeline } = paired;
  const alone = numOnlyA + numOnlyB > 0 ? `; completed in A alone ${numOnlyA}, in B alone ${numOnlyB}` : "";
  const title = `${numPairs} requests, each beside itself${alone}\n`;
  if (timeline === null) return [title];
  const pictures = [changePicture("TTFT", timeline.ttftMs), changePicture("E2E", timeline.e2eMs)].join("");
  return [`${title}${latencyTable(paired)}${INTERVAL_NOTE}`, partTable(paired), pictures];
}

/** Batch means know the noise that passes within a batch. */
const INTERVAL_NOTE =
  "intervals hold where no queue forms; near saturation requests hang together for longer, and they are too narrow\n";

function latencyTable({ latencies }: PairedChange): string {
  const columns = columnsOf(
    "change, ms",
    "slower#",
    "same#",
    "faster#",
    "median#",
    "mean#",
    "95 % interval#",
    "verdict",
  );
  return textTable(
    columns,
    latencies.map(({ latency, numPairs, numSlower, numFaster, medianMs, meanMs, meanInterval, verdict }) => [
      LATENCY_TITLES[latency],
      String(numSlower),
      String(numPairs - numSlower - numFaster),
      String(numFaster),
      signed(medianMs, printAmount),
      signed(meanMs, printAmount),
      meanInterval === null
        ? "–"
        : `${signed(meanInterval.low, printAmount)} to ${signed(meanInterval.high, printAmount)}`,
      VERDICT_WORDS[verdict],
    ]),
  );
}

function partTable({ e2eParts }: PairedChange): string {
  const sum = (of: (part: PairedChange["e2eParts"][number]) => number | null) =>
    e2eParts.reduce((total, part) => total + (of(part) ?? 0), 0);
  const whole = sum(({ change }) => change);
  const row = (title: string, a: number | null, b: number | null, change: number | null) => [
    title,
    printAmount(a),
    printAmount(b),
    signed(change, printAmount),
    share(whole === 0 ? null : (change ?? 0) / whole),
  ];
  return textTable(numberColumns("mean E2E by part, ms", "A", "B", "change", "% of change"), [
    ...e2eParts.map(({ part, a, b, change }) => row(PART_TITLES[part], a, b, change)),
    row(
      "all",
      sum(({ a }) => a),
      sum(({ b }) => b),
      whole,
    ),
  ]);
}

function gpuTables(gpu: GpuTimeChange): string[] {
  const { components, bounds, phases, steps, gpuUs, idleUs, stepUs, byNumberUs, byLengthUs } = gpu;
  const seconds = (us: number | null) => printNumber(us === null ? null : us / US_PER_S, 2);
  const ms = (us: number | null) => printNumber(us === null ? null : us / US_PER_MS, 3);
  const origin =
    `GPU time ${seconds(gpuUs.a)} → ${seconds(gpuUs.b)} s (${signed(gpuUs.change, seconds)}): ` +
    `${signed(byNumberUs, seconds)} by the number of steps (${steps.a} → ${steps.b}), ` +
    `${signed(byLengthUs, seconds)} by their length (${ms(stepUs.a)} → ${ms(stepUs.b)} ms); ` +
    `idle ${seconds(idleUs.a)} → ${seconds(idleUs.b)} s\n`;
  const whole: PartChange = {
    name: "all",
    aUs: gpuUs.a ?? 0,
    bUs: gpuUs.b ?? 0,
    changeUs: gpuUs.change ?? 0,
    aStepUs: stepUs.a ?? 0,
    bStepUs: stepUs.b ?? 0,
    changeStepUs: stepUs.change ?? 0,
    shareOfChange: stepUs.change === 0 ? null : 1,
  };
  const table = (title: string, parts: readonly PartChange[]) => partsTable(title, [...parts, whole]);
  return [
    `${origin}${table("µs of the mean step", components)}`,
    ...(bounds === null ? [] : [table("by what binds it", bounds)]),
    ...(phases === null ? [] : [table("by kind of step", phases)]),
  ];
}

function partsTable(title: string, parts: readonly PartChange[]): string {
  const rows = parts.map(({ name, aUs, bUs, changeUs, aStepUs, bStepUs, changeStepUs, shareOfChange }) => [
    name,
    printNumber(aStepUs),
    printNumber(bStepUs),
    signed(changeStepUs, (us) => printNumber(us)),
    share(aStepUs === 0 ? null : changeStepUs / aStepUs),
    share(shareOfChange),
    printNumber(aUs / US_PER_S, 2),
    printNumber(bUs / US_PER_S, 2),
    signed(changeUs / US_PER_S, (seconds) => printNumber(seconds, 2)),
  ]);
  const columns = numberColumns(title, "A", "B", "change", "%", "% of change", "A, s of run", "B, s", "change, s");
  return textTable(columns, rows);
}

/** A number with its sign; printed as 0 it has none. */
function signed(value: number | null, print: (value: number) => string): string {
  if (value === null) return "–";
  const text = print(Math.abs(value));
  if (Number(text) === 0) return text;
  return `${value < 0 ? "−" : "+"}${text}`;
}

/** Four digits or so: counts and large numbers whole, small ones with the digits that say something. */
function printAmount(value: number | null): string {
  if (value === null || Number.isInteger(value)) return printNumber(value, 0);
  const size = Math.abs(value);
  return printNumber(value, size >= 1000 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 4);
}

function share(fraction: number | null): string {
  return fraction === null ? "–" : signed(100 * fraction, (percent) => printNumber(percent));
}
