import type { GpuTimeChange, PartChange } from "../core/analysis/diff/gpuTimeChange.js";
import type { PairedChange, PairedLatency } from "../core/analysis/diff/pairedChange.js";
import type { RunDiff } from "../core/analysis/diff/runDiff.js";
import type { Verdict } from "../core/analysis/diff/verdict.js";
import { US_PER_MS, US_PER_S } from "../core/units/units.js";
import { changePicture } from "./changePicture.js";
import { type BothDefaults, configChangeTable } from "./configChangeTable.js";
import { diffSentence } from "./diffSentence.js";
import { metricChangeTable } from "./metricChangeTable.js";
import { printAmount, signed, signedInterval } from "./signedNumber.js";
import { columnsOf, numberColumns, printNumber, textTable } from "./textTable.js";

const LATENCY_TITLES: Readonly<Record<PairedLatency, string>> = { ttftMs: "TTFT", interTokenMs: "TPOT", e2eMs: "E2E" };
const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  change: "a change",
  chance: "may be chance",
  none: "none",
  unknown: "one run does not tell",
};
const PART_TITLES = { waitingMs: "waiting for the first step", prefillMs: "prefill", decodeMs: "decode" } as const;

/** Two runs compared, for people: the answer in a sentence, then the tables it comes from. */
export function diffTable(diff: RunDiff, defaults: BothDefaults): string {
  const sentence = `${diffSentence(diff)}\n`;
  if (diff.isIdentical) return sentence;
  const sections = [`A  ${diff.a.name}\nB  ${diff.b.name}\n`, configChangeTable(diff.config, defaults)];
  const results = [
    metricChangeTable(diff),
    ...(diff.paired === null ? [notPairedLine(diff)] : pairedTables(diff, diff.paired)),
    ...gpuTables(diff.gpu),
  ];
  return [sentence, ...sections, ...(diff.isUnchanged ? [] : results)].filter((section) => section !== "").join("\n");
}

function pairedTables(diff: RunDiff, paired: PairedChange): string[] {
  const { numPairs, numOnlyA, numOnlyB, timeline } = paired;
  const alone = numOnlyA + numOnlyB > 0 ? `; completed in A alone ${numOnlyA}, in B alone ${numOnlyB}` : "";
  const title = `${numPairs} requests, each beside itself${alone}\n`;
  if (timeline === null) return [title];
  const pictures = [changePicture("TTFT", timeline.ttftMs), changePicture("E2E", timeline.e2eMs)].join("");
  return [`${title}${latencyTable(paired)}${intervalNote(diff, paired)}`, partTable(paired), pictures];
}

/** What the intervals are of, or why there is none. */
function intervalNote({ overSeeds }: RunDiff, { noInterval }: PairedChange): string {
  if (overSeeds !== null) return "of the two runs given; the means over seeds above say what other requests show\n";
  return noInterval === null
    ? "intervals of the mean change in runs of this length, from stretches of these\n"
    : `no intervals: ${noInterval}\n`;
}

function notPairedLine({ notPaired, overSeeds }: RunDiff): string {
  const remedy = overSeeds === null ? "; --seeds 10 serves both the same requests, and tells a change from chance" : "";
  return `requests not paired: ${notPaired}${remedy}\n`;
}

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
      signedInterval(meanInterval),
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

/** Why a faster GPU takes more steps. */
const STEP_NOTE =
  "a server steps for as long as it has requests: shorter steps are more of them, longer ones fewer, for the same work\n";

function gpuTables(gpu: GpuTimeChange): string[] {
  const { components, bounds, phases, steps, gpuUs, idleUs, stepUs, byNumberUs, byLengthUs } = gpu;
  const seconds = (us: number | null) => printNumber(us === null ? null : us / US_PER_S, 2);
  const ms = (us: number | null) => printNumber(us === null ? null : us / US_PER_MS, 3);
  const origin =
    `GPU time ${seconds(gpuUs.a)} → ${seconds(gpuUs.b)} s (${signed(gpuUs.change, seconds)}): ` +
    `${signed(byNumberUs, seconds)} by the number of steps (${steps.a} → ${steps.b}), ` +
    `${signed(byLengthUs, seconds)} by their length (${ms(stepUs.a)} → ${ms(stepUs.b)} ms); ` +
    `idle ${seconds(idleUs.a)} → ${seconds(idleUs.b)} s\n${byNumberUs * byLengthUs < 0 ? STEP_NOTE : ""}`;
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
  const table = (title: string, parts: readonly PartChange[]) => partsTable(title, parts, whole);
  return [
    `${origin}${table("µs of the mean step", components)}`,
    ...(bounds === null ? [] : [table("by what binds it", bounds)]),
    ...(phases === null ? [] : [table("by kind of step", phases)]),
  ];
}

/** Where all parts' changes come to less of the mean step, there is nothing to tell apart. */
const LEAST_STEP_FRACTION = 0.001;
/** Parts that have less of all parts' changes are summed up in one row. */
const LEAST_CHANGE_FRACTION = 0.005;

/** The parts that moved, the others together, and the whole; nothing but a line where they hardly moved. */
function partsTable(title: string, parts: readonly PartChange[], whole: PartChange): string {
  const allUs = parts.reduce((sum, { changeStepUs }) => sum + Math.abs(changeStepUs), 0);
  if (allUs < LEAST_STEP_FRACTION * whole.aStepUs) {
    return `${title}: all changes together are less than ${100 * LEAST_STEP_FRACTION} % of it\n`;
  }
  const isMoved = ({ changeStepUs }: PartChange) => Math.abs(changeStepUs) >= LEAST_CHANGE_FRACTION * allUs;
  const still = parts.filter((part) => !isMoved(part));
  const others = still.length < 2 ? still : [sumOf(still, `${still.length} others`)];
  const rows = [...parts.filter(isMoved), ...others, whole].map(
    ({ name, aUs, bUs, changeUs, aStepUs, bStepUs, changeStepUs, shareOfChange }) => [
      name,
      printNumber(aStepUs),
      printNumber(bStepUs),
      signed(changeStepUs, (us) => printNumber(us)),
      share(aStepUs === 0 ? null : changeStepUs / aStepUs),
      share(shareOfChange),
      printNumber(aUs / US_PER_S, 2),
      printNumber(bUs / US_PER_S, 2),
      signed(changeUs / US_PER_S, (seconds) => printNumber(seconds, 2)),
    ],
  );
  const columns = numberColumns(title, "A", "B", "change", "%", "% of change", "A, s of run", "B, s", "change, s");
  return textTable(columns, rows);
}

function sumOf(parts: readonly PartChange[], name: string): PartChange {
  const sum = (of: (part: PartChange) => number) => parts.reduce((total, part) => total + of(part), 0);
  const shares = parts.map(({ shareOfChange }) => shareOfChange);
  return {
    name,
    aUs: sum(({ aUs }) => aUs),
    bUs: sum(({ bUs }) => bUs),
    changeUs: sum(({ changeUs }) => changeUs),
    aStepUs: sum(({ aStepUs }) => aStepUs),
    bStepUs: sum(({ bStepUs }) => bStepUs),
    changeStepUs: sum(({ changeStepUs }) => changeStepUs),
    shareOfChange: shares.includes(null) ? null : sum(({ shareOfChange }) => shareOfChange ?? 0),
  };
}

function share(fraction: number | null): string {
  return fraction === null ? "–" : signed(100 * fraction, (percent) => printNumber(percent));
}
