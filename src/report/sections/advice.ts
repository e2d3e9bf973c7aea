import type { BottleneckKind } from "../../core/analysis/knobs/bottleneck.js";
import type { KnobCost } from "../../core/analysis/knobs/knobs.js";
import type { Advice, Trial, TrialMetrics } from "../../core/analysis/knobs/tryKnobs.js";
import { scrollRegion } from "../dataTable.js";
import { element, section } from "../element.js";
import { printChange, printCount, printFraction, printMs } from "../numbers.js";
import type { AdviceSection } from "../reportPage.js";

const HOLDS: Readonly<Record<BottleneckKind, string>> = {
  "front-end": "The front end holds this run back: one process streams all tokens",
  sequences: "The limit of running sequences holds this run back: all places were taken while others waited",
  "token-budget": "The token budget of a step holds this run back: it was spent while others waited",
  "kv-cache": "The KV cache holds this run back: it was full while others waited",
  memory: "Nothing keeps requests waiting for long; the largest part of a step is memory bandwidth",
  compute: "Nothing keeps requests waiting for long; the largest part of a step is compute",
  network: "Nothing keeps requests waiting for long; the largest part of a step is the interconnect",
  launch: "Nothing keeps requests waiting for long; the largest part of a step is kernel launches",
  wait: "Nothing keeps requests waiting for long; the largest part of a step is gaps between kernels",
};

const COST_WORDS: Readonly<Record<KnobCost, string>> = {
  setting: "a setting",
  precision: "less precise",
  hardware: "other hardware",
};

/** The compared numbers; `better` says which way is better. */
const METRICS: readonly {
  readonly title: string;
  readonly of: (metrics: TrialMetrics) => number | null;
  readonly print: (value: number | null) => string;
  readonly better: "lower" | "higher";
}[] = [
  { title: "TTFT p99", of: ({ ttftP99Ms }) => ttftP99Ms, print: printMs, better: "lower" },
  { title: "ITL p50", of: ({ itlP50Ms }) => itlP50Ms, print: printMs, better: "lower" },
  { title: "E2E p99", of: ({ e2eP99Ms }) => e2eP99Ms, print: printMs, better: "lower" },
  {
    title: "output tokens/s",
    of: ({ outputTokensPerS }) => outputTokensPerS,
    print: printCount,
    better: "higher",
  },
];

/** A change below this is neither better nor worse. */
const NOTICEABLE = 0.005;

/** What holds the run back, and what each change of one option did about it. */
export function adviceSection({ advice }: AdviceSection): HTMLElement {
  const { bottleneck } = advice;
  return section(
    "advice",
    "Bottleneck, and what helps",
    element("p", { class: "lead" }, `${HOLDS[bottleneck.kind]} (${printFraction(bottleneck.share)} of the time).`),
    element("p", {}, bestWords(advice)),
    scrollRegion(trialTable(advice), "What each change did, beside this run"),
    element(
      "p",
      { class: "note" },
      "Each row is the same requests simulated once more with one option changed, and how each number moved. " +
        "One seed: differences of a percent or two are chance.",
    ),
  );
}

function bestWords({ base, best, bestSetting, trials }: Advice): string {
  const bestTrial = best === null ? undefined : trials[best];
  if (bestTrial === undefined) return "None of the changes tried makes the numbers better overall.";
  const said = `Best of those tried: ${trialWords(bestTrial, base)}.`;
  if (bestTrial.knob.cost === "setting") return said;
  const free = bestSetting === null ? undefined : trials[bestSetting];
  return free === undefined
    ? `${said} No setting alone makes the numbers better overall.`
    : `${said} Best without other hardware or less precision: ${trialWords(free, base)}.`;
}

/** The change, and how each number moved. */
function trialWords({ knob, metrics }: Trial, base: TrialMetrics): string {
  if (metrics === null) return knob.flag;
  const moved = METRICS.map(({ title, of }) => `${title} ${printChange(changeOf(of(base), of(metrics)))}`);
  return `${knob.flag} (${moved.join(", ")})`;
}

function changeOf(before: number | null, after: number | null): number | null {
  return before === null || after === null || before === 0 ? null : after / before - 1;
}

function trialTable({ base, trials, best, bestSetting }: Advice): HTMLElement {
  const head = element(
    "tr",
    {},
    ...["change", ...METRICS.map(({ title }) => title)].map((title) => element("th", { scope: "col" }, title)),
  );
  const baseRow = element(
    "tr",
    { class: "base" },
    element("th", { scope: "row" }, "this run"),
    ...METRICS.map(({ of, print }) => element("td", {}, print(of(base)))),
  );
  const rows = trials.map((trial, i) => trialRow(trial, base, i === best || i === bestSetting));
  return element("table", { class: "trials" }, element("thead", {}, head), element("tbody", {}, baseRow, ...rows));
}

function trialRow({ knob, metrics, reason }: Trial, base: TrialMetrics, isBest: boolean): HTMLElement {
  const name = element(
    "th",
    { scope: "row" },
    element("code", {}, knob.flag),
    isBest ? element("span", { class: "best" }, "best") : null,
    element("span", { class: "cost" }, COST_WORDS[knob.cost]),
  );
  if (metrics === null) {
    const refused = `not possible: ${firstLine(reason)}`;
    return element("tr", {}, name, element("td", { colspan: String(METRICS.length), class: "refused" }, refused));
  }
  const cells = METRICS.map(({ of, print, better }) => {
    const change = changeOf(of(base), of(metrics));
    const moved = element("span", { class: "change" }, printChange(change));
    return element("td", { class: verdictOf(change, better) }, print(of(metrics)), " ", moved);
  });
  return element("tr", isBest ? { class: "best-row" } : {}, name, ...cells);
}

function verdictOf(change: number | null, better: "lower" | "higher"): string {
  if (change === null || Math.abs(change) < NOTICEABLE) return "same";
  return change < 0 === (better === "lower") ? "better" : "worse";
}

function firstLine(text: string | null): string {
  return text?.split("\n", 1)[0] ?? "";
}
