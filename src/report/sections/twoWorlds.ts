import type { MeasuredQuantiles } from "../../core/evaluation/measuredQuantiles.js";
import { cdfPlot } from "../cdf.js";
import { INK, LATENCY_COLORS } from "../colors.js";
import { element, section } from "../element.js";
import { figure, type Panel } from "../figure.js";
import { printChange, printCount, printMs } from "../numbers.js";
import type { TwoWorldsSection } from "../reportPage.js";

type Run = TwoWorldsSection["runs"][number];
type Latency = keyof MeasuredQuantiles;

const NAMES: Readonly<Record<Latency, string>> = {
  ttftMs: "Time to first token",
  e2eMs: "End to end",
  itlMs: "Time between tokens",
};
const LATENCIES = Object.keys(NAMES) as Latency[];
/** Runs shown at once; the others open on demand. */
const NUM_OPEN = 3;
const LEFT = { percent: 72, side: "left" } as const;
const RIGHT = { percent: 45, side: "right" } as const;
const TABLE_PERCENTS = [10, 50, 90, 99];

/** Measured and predicted distributions beside each other, run by run. */
export function twoWorlds({ runs }: TwoWorldsSection): HTMLElement {
  return section(
    "distributions",
    "Distributions, run by run",
    element(
      "p",
      {},
      "Dashed: measured. Solid: predicted. Share of requests (for time between tokens, the mean of each request: of tokens) served within a time.",
    ),
    ...runs.map((run, i) =>
      element(
        "details",
        { class: "run", ...(i < NUM_OPEN ? { open: "" } : {}) },
        element(
          "summary",
          {},
          element("strong", {}, run.name),
          ` ${run.model} on ${run.hardware}, ${printCount(run.numCompared)} requests`,
        ),
        runFigure(run),
      ),
    ),
  );
}

function runFigure({ quantiles }: Run): HTMLElement {
  const known = LATENCIES.filter(
    (latency) => quantiles[latency].measured !== null && quantiles[latency].predicted !== null,
  );
  if (known.length === 0) return element("p", {}, "The files hold no latencies of single requests.");
  return figure({
    layout: "thirds",
    panels: known.map((latency) => panel(latency, quantiles[latency])),
    caption: known.map((latency) => words(latency, quantiles[latency])).join(" "),
    table: {
      columns: ["latency", ...TABLE_PERCENTS.map((percent) => `${percent} %, measured → predicted`)],
      rows: known.map((latency) => [
        NAMES[latency],
        ...TABLE_PERCENTS.map((percent) => {
          const { measured, predicted } = quantiles[latency];
          return `${printMs(measured?.[percent])} → ${printMs(predicted?.[percent])}`;
        }),
      ]),
    },
  });
}

function panel(latency: Latency, { measured, predicted }: MeasuredQuantiles[Latency]): Panel {
  const color = LATENCY_COLORS[latency];
  return {
    heading: NAMES[latency],
    label: words(latency, { measured, predicted }),
    draw: (widthPx) => {
      const lines = [
        { name: "predicted", quantiles: predicted ?? [], color },
        { name: "measured", quantiles: measured ?? [], color: INK, isDashed: true },
      ] as const;
      // The faster line is named on its left, the slower one on its right: neither name lies on the other line.
      const isPredictedLeft = (predicted?.[50] ?? 0) < (measured?.[50] ?? 0);
      const sides = isPredictedLeft ? [LEFT, RIGHT] : [RIGHT, LEFT];
      const named = lines.map((line, i) => ({ ...line, labelAt: sides[i] ?? LEFT }));
      return cdfPlot(named, latency === "itlMs" ? "% of tokens" : "% of requests", widthPx);
    },
  };
}

function words(latency: Latency, { measured, predicted }: MeasuredQuantiles[Latency]): string {
  const at = (percent: number) => {
    const [seen, said] = [measured?.[percent], predicted?.[percent]];
    const change = seen === undefined || said === undefined || seen === 0 ? null : said / seen - 1;
    return `${printMs(seen)} measured, ${printMs(said)} predicted (${printChange(change)})`;
  };
  return `${NAMES[latency]}: median ${at(50)}; 99 % ${at(99)}.`;
}
