import type { MetricChange } from "../core/analysis/diff/metricChange.js";
import type { E2ePart } from "../core/analysis/diff/pairedChange.js";
import { isSameLoad, type RunDiff } from "../core/analysis/diff/runDiff.js";
import type { SeedMetricChange } from "../core/analysis/diff/seedChange.js";
import { tradeOff } from "../core/analysis/diff/tradeOff.js";
import { US_PER_MS } from "../core/units/units.js";
import { signed, signedInterval } from "./signedNumber.js";
import { printNumber } from "./textTable.js";

/** A change of the mean below this is none to speak of. */
const LEAST_RELATIVE = 0.0005;
/** Below this a change matters to nobody, so that where it comes from is not told. */
const LEAST_EXPLAINED = 0.005;

/** A part's share of a change that other parts took back in part; up to here it is as good as the whole. */
const MOST_SHARE = 1.05;

/** Numbers named on one side of a trade-off. */
const MOST_SIDES = 2;

const LATENCY_WORDS: Readonly<Record<string, string>> = {
  ttftMs: "TTFT",
  tpotMs: "TPOT",
  itlMs: "ITL",
  gapMs: "gap between tokens",
  e2eMs: "E2E",
};
const COUNT_WORDS: Readonly<Record<string, string>> = {
  "throughput.outputTokensPerS": "output throughput",
  "requests.completed": "the number of completed requests",
};

const PART_WORDS: Readonly<Record<E2ePart, string>> = {
  waitingMs: "waiting for the first step",
  prefillMs: "prefill",
  decodeMs: "decoding",
};

/** What changed, by how much, where, what it cost, and how far that is more than chance. */
export function diffSentence(diff: RunDiff): string {
  if (diff.isIdentical) return "A and B are identical: no config key, no number and no request differs.";
  if (diff.isUnchanged) return `No number and no request differs; ${configWords(diff)}.`;
  const parts = [`${loadWords(diff)}${headline(diff)}`, ...sideWords(diff), ...stepWords(diff), ...doubt(diff)];
  return `${[...parts, configWords(diff)].join("; ")}.`;
}

/** Latencies of different requests differ by the requests too. */
function loadWords({ config }: RunDiff): string {
  return isSameLoad(config) ? "" : "A and B serve different workloads, which is part of every change: ";
}

function headline(diff: RunDiff): string {
  const { a, b, relative, interval, verdict } = e2eOf(diff);
  if (a === null || b === null || relative === null) return "The mean end-to-end latency is not known on both sides";
  const both = `mean ${latency(a)} → ${latency(b)}`;
  const seeds = diff.overSeeds === null ? "" : ` over ${diff.overSeeds.seeds.length} seeds`;
  const width =
    interval === null ? "" : `, 95 % interval of the change ${signedInterval(interval, (ms) => latency(Math.abs(ms)))}`;
  if (verdict === "chance" && diff.overSeeds !== null) {
    const { length } = diff.overSeeds.seeds;
    return `${length} seeds do not tell a change of the mean end-to-end latency from chance (${both}${width})`;
  }
  if (isStill(diff)) {
    const { better, worse } = tradeOff(diff);
    const hardly = better.length + worse.length === 0 ? "A and B hardly differ: " : "";
    if (Math.abs(relative) < LEAST_RELATIVE)
      return `${hardly}B takes as long as A end to end (mean ${latency(a)}${seeds})`;
    const size = signed(100 * relative, printNumber);
    return `${hardly}B takes about as long as A end to end (${both}, ${size} %${seeds}${width})`;
  }
  return `B ${speedWords(relative)} end to end (${both}${seeds}${width})${partWords(diff, relative)}${gpuWords(diff)}`;
}

/** The mean end-to-end latency, over seeds where there are several. */
function e2eOf({ metrics, overSeeds }: RunDiff): SeedMetricChange {
  const isE2e = ({ name }: MetricChange) => name === "e2eMs.mean";
  const single = metrics.find(isE2e) as MetricChange;
  return overSeeds?.metrics.find(isE2e) ?? { ...single, interval: null, verdict: "unknown" };
}

/** Whether the mean end-to-end latency did not change by enough to ask why, or by no more than chance. */
function isStill(diff: RunDiff): boolean {
  const { relative, verdict } = e2eOf(diff);
  return verdict === "chance" || Math.abs(relative ?? 0) < LEAST_EXPLAINED;
}

/** What moved the other way than the mean end-to-end latency; where that stood still, the most on either side. */
function sideWords(diff: RunDiff): string[] {
  const { change } = e2eOf(diff);
  const { better, worse } = tradeOff(diff);
  const list = (metrics: readonly MetricChange[]) => metrics.slice(0, MOST_SIDES).map(sideWord).join(" and ");
  if (isStill(diff)) return [better, worse].filter((side) => side.length > 0).map(list);
  const other = (change ?? 0) < 0 ? worse : better;
  return other.length === 0 ? [] : [`but ${list(other)}`];
}

/** `TTFT p99 is 12.0 % longer`, `requests.completed is 3.0 % lower`. */
function sideWord({ name, relative }: MetricChange): string {
  const [key = "", statistic = ""] = name.split(".");
  const isLatency = key.endsWith("Ms");
  const title = isLatency ? `${statistic} ${LATENCY_WORDS[key] ?? key.slice(0, -2)}` : (COUNT_WORDS[name] ?? name);
  const [down, up] = isLatency ? ["shorter", "longer"] : ["lower", "higher"];
  const size =
    (relative ?? 0) >= 1 ? `${printNumber(1 + (relative ?? 0))} times as ${isLatency ? "long" : "high"}` : null;
  return `${title} is ${size ?? `${percent(Math.abs(relative ?? 0))} ${(relative ?? 0) < 0 ? down : up}`}`;
}

/** More GPUs are no merit of a config. */
function gpuWords({ config }: RunDiff): string {
  const change = config.find(({ path }) => path === "engine.tensorParallelSize");
  if (typeof change?.before !== "number" || typeof change.after !== "number") return "";
  return `, on ${change.after} ${change.after === 1 ? "GPU" : "GPUs"} instead of ${change.before}`;
}

/** @param relative change of a latency */
function speedWords(relative: number): string {
  if (relative >= 1) return `takes ${printNumber(1 + relative)} times as long as A`;
  return `is ${percent(Math.abs(relative))} ${relative < 0 ? "faster" : "slower"}`;
}

/** Where in a request's life the largest share of the change lies. */
function partWords({ paired }: RunDiff, relative: number): string {
  if (paired === null) return "";
  const whole = paired.e2eParts.reduce((sum, { change }) => sum + (change ?? 0), 0);
  // Of the requests that both completed: where they differ from all, the parts are of another change.
  if (whole * relative <= 0) return "";
  const largest = [...paired.e2eParts].sort((x, y) => (y.change ?? 0) / whole - (x.change ?? 0) / whole)[0];
  if (largest === undefined || largest.change === null) return "";
  const share = largest.change / whole;
  return `, ${shareWords(share)} of that in ${PART_WORDS[largest.part]}`;
}

function shareWords(share: number): string {
  if (share > MOST_SHARE) return "more than all";
  return share >= 0.995 ? "all" : percent(share, 0);
}

/**
 * What moves the mean step most, where steps changed the way latencies did. Of the same requests this may be the time
 * between steps: a GPU that lacks work idles the longer the faster it is, and the other way round it is kept waiting.
 */
function stepWords(diff: RunDiff): string[] {
  const { stepUs, idleStepUs, components } = diff.gpu;
  const { change: e2eChange } = e2eOf(diff);
  if (isStill(diff)) return [];
  const isSameWay = (change: number | null) => (change ?? 0) * (e2eChange ?? 0) > 0;
  const idleChangeUs = idleStepUs.change ?? 0;
  if (diff.paired !== null && isSameWay(idleChangeUs) && Math.abs(idleChangeUs) > Math.abs(stepUs.change ?? 0)) {
    const idleMs = printNumber(Math.abs(idleChangeUs) / US_PER_MS, 2);
    return [`the GPU idles ${idleMs} ms ${idleChangeUs < 0 ? "less" : "more"} for each step`];
  }
  const component = components.find(({ changeStepUs }) => isSameWay(changeStepUs));
  if (!isSameWay(stepUs.change) || Math.abs(stepUs.relative ?? 0) < LEAST_RELATIVE || component === undefined)
    return [];
  const { name, aStepUs, bStepUs, changeStepUs, shareOfChange } = component;
  const steps = `steps ${lengthWords(stepUs.relative ?? 0)}, ${shareWords(shareOfChange ?? 0)} of that in ${name}`;
  if (aStepUs === 0 || bStepUs === 0) return [`${steps}, which ${aStepUs === 0 ? "A" : "B"} does without`];
  return [`${steps} (${signed(changeStepUs / aStepUs, (fraction) => percent(fraction, 0))})`];
}

function lengthWords(relative: number): string {
  if (relative >= 1) return `take ${printNumber(1 + relative)} times as long`;
  return `are ${percent(Math.abs(relative))} ${relative < 0 ? "shorter" : "longer"}`;
}

/** How far one run tells. */
function doubt(diff: RunDiff): string[] {
  const { paired, notPaired, overSeeds, config } = diff;
  if (overSeeds !== null) return [];
  if (paired === null) return isSameLoad(config) ? [`requests are not paired: ${notPaired}`] : [];
  const e2e = paired.latencies.find(({ latency }) => latency === "e2eMs");
  if (e2e?.verdict === "chance") return ["which other requests of this workload might not show"];
  // Where every request went the same way nobody asks.
  const isOneWay = e2e === undefined || e2e.numSlower === 0 || e2e.numFaster === 0;
  return e2e?.verdict === "unknown" && !isOneWay && !isStill(diff)
    ? ["whether other requests would show it, one run does not tell"]
    : [];
}

function configWords({ config }: RunDiff): string {
  if (config.length === 0) return "no config key differs";
  return `${config.length} config ${config.length === 1 ? "key differs" : "keys differ"}`;
}

/** With the digits that a change of a percent shows in. */
function latency(ms: number): string {
  return ms >= 1000 ? `${printNumber(ms / 1000, 2)} s` : `${printNumber(ms)} ms`;
}

function percent(fraction: number, decimals = 1): string {
  return `${printNumber(100 * fraction, decimals)} %`;
}
