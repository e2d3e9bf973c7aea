import type { E2ePart } from "../core/analysis/diff/pairedChange.js";
import type { RunDiff } from "../core/analysis/diff/runDiff.js";
import { US_PER_MS } from "../core/units/units.js";
import { printNumber } from "./textTable.js";

/** A change of the mean below this is none to speak of. */
const LEAST_RELATIVE = 0.0005;

/** A part's share of a change that other parts took back in part; up to here it is as good as the whole. */
const MOST_SHARE = 1.05;

const PART_WORDS: Readonly<Record<E2ePart, string>> = {
  waitingMs: "waiting for the first step",
  prefillMs: "prefill",
  decodeMs: "decoding",
};

/** What changed, by how much, where, and how far that is more than chance. */
export function diffSentence(diff: RunDiff): string {
  if (diff.isIdentical) return "A and B are identical: no config key, no number and no request differs.";
  const parts = [`${headline(diff)}${chance(diff)}`, configWords(diff)];
  return `${parts.join("; ")}.`;
}

function headline(diff: RunDiff): string {
  const { a, b, relative } = metric(diff, "e2eMs.mean");
  if (a === null || b === null || relative === null) return "The mean end-to-end latency is not known on both sides";
  if (Math.abs(relative) < LEAST_RELATIVE) return `B takes as long as A end to end (mean ${latency(a)})`;
  return `B ${speedWords(relative)} end to end (mean ${latency(a)} → ${latency(b)})${partWords(diff)}${stepWords(diff)}`;
}

/** @param relative change of a latency */
function speedWords(relative: number): string {
  if (relative >= 1) return `takes ${printNumber(1 + relative)} times as long as A`;
  return `is ${percent(Math.abs(relative))} ${relative < 0 ? "faster" : "slower"}`;
}

/** Where in a request's life the largest share of the change lies. */
function partWords({ paired }: RunDiff): string {
  if (paired === null) return "";
  const whole = paired.e2eParts.reduce((sum, { change }) => sum + (change ?? 0), 0);
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
function stepWords(diff: RunDiff): string {
  const { stepUs, idleStepUs, components } = diff.gpu;
  const e2eChange = metric(diff, "e2eMs.mean").change ?? 0;
  const isSameWay = (change: number | null) => change !== null && change * e2eChange > 0;
  const idleChangeUs = Math.abs(idleStepUs.change ?? 0);
  if (diff.paired !== null && isSameWay(idleStepUs.change) && idleChangeUs > Math.abs(stepUs.change ?? 0)) {
    const idle = printNumber(idleChangeUs / US_PER_MS, 2);
    return `; the GPU idles ${idle} ms ${e2eChange < 0 ? "less" : "more"} for each step`;
  }
  if (!isSameWay(stepUs.change) || Math.abs(stepUs.relative ?? 0) < LEAST_RELATIVE) return "";
  const component = components.find(({ changeStepUs }) => isSameWay(changeStepUs));
  if (component === undefined) return "";
  const { name, aStepUs, bStepUs, changeStepUs, shareOfChange } = component;
  const lead = `; steps are ${percent(Math.abs(stepUs.relative ?? 0))} ${e2eChange < 0 ? "shorter" : "longer"}, mostly because`;
  const weight = shareOfChange !== null && shareOfChange >= 0.5 ? lead : lead.replace("mostly", "first of all");
  if (aStepUs === 0 || bStepUs === 0) return `${weight} of ${name}, which ${aStepUs === 0 ? "A" : "B"} does without`;
  return `${weight} ${name} takes ${percent(Math.abs(changeStepUs / aStepUs), 0)} ${e2eChange < 0 ? "less" : "more"}`;
}

function chance({ paired, notPaired }: RunDiff): string {
  if (paired === null) return `; requests are not paired: ${notPaired}`;
  const verdict = paired.latencies.find(({ latency }) => latency === "e2eMs")?.verdict;
  return verdict === "chance" ? "; which other requests of this workload might not show" : "";
}

function configWords({ config }: RunDiff): string {
  if (config.length === 0) return "no config key differs";
  return `${config.length} config ${config.length === 1 ? "key differs" : "keys differ"}`;
}

function metric(diff: RunDiff, name: string): RunDiff["metrics"][number] {
  return diff.metrics.find((metric) => metric.name === name) as RunDiff["metrics"][number];
}

/** With the digits that a change of a percent shows in. */
function latency(ms: number): string {
  return ms >= 1000 ? `${printNumber(ms / 1000, 2)} s` : `${printNumber(ms)} ms`;
}

function percent(fraction: number, decimals = 1): string {
  return `${printNumber(100 * fraction, decimals)} %`;
}
