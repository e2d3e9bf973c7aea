import type { Quantiles } from "../../core/metrics/quantiles.js";
import { type CdfLine, cdfPlot } from "../cdf.js";
import { INK, LATENCY_COLORS } from "../colors.js";
import { element, section } from "../element.js";
import { figure, type Panel } from "../figure.js";
import { printMs } from "../numbers.js";
import type { DistributionsSection } from "../reportPage.js";

type Latency = keyof DistributionsSection["quantiles"];

/** A latency with its curve. */
interface Known {
  readonly latency: Latency;
  readonly values: Quantiles;
}

const NAMES: Readonly<Record<Latency, string>> = {
  ttftMs: "Time to first token",
  gapMs: "Time between tokens",
  itlMs: "Time between tokens, mean of a request",
  e2eMs: "End to end",
  queueMs: "Wait in the queue",
};
const SHORT_NAMES: Readonly<Record<Latency, string>> = {
  ttftMs: "TTFT",
  gapMs: "single gaps",
  itlMs: "request means",
  e2eMs: "E2E",
  queueMs: "queue",
};
const COLORS: Readonly<Record<Latency, string>> = { ...LATENCY_COLORS, gapMs: LATENCY_COLORS.itlMs };
const Y_LABELS: Readonly<Partial<Record<Latency, string>>> = { gapMs: "% of gaps", itlMs: "% of gaps" };
/** Where a curve is named: most gaps are as short as the means, and a few are much longer. */
const MEAN_LABEL = { percent: 25, side: "right" } as const;
const TABLE_PERCENTS = [0, 10, 25, 50, 75, 90, 95, 99, 100];

/** A cumulative distribution per latency; the two of the time between tokens share a plot. */
export function distributions({ quantiles }: DistributionsSection): HTMLElement {
  const latencies = Object.keys(NAMES) as Latency[];
  const known = latencies.flatMap((latency): Known[] => {
    const values = quantiles[latency];
    return values === null ? [] : [{ latency, values }];
  });
  if (known.length === 0) {
    return section("latency", "Latency", element("p", {}, "No request was completed: there is no latency to show."));
  }
  const means = known.find(({ latency }) => latency === "itlMs");
  const plotted = known.filter((one) => one !== means || quantiles.gapMs === null);
  return section(
    "latency",
    "Latency",
    figure({
      layout: "halves",
      panels: plotted.map((one) => panel(one.latency === "gapMs" && means !== undefined ? [one, means] : [one])),
      caption: `Share of requests (of time between tokens: of gaps) within a time. ${MEANS_WORDS} ${known
        .map(sentence)
        .join(" ")}`,
      table: {
        columns: ["latency", ...TABLE_PERCENTS.map((percent) => `${percent} %`)],
        rows: known.map(({ latency, values }) => [
          NAMES[latency],
          ...TABLE_PERCENTS.map((percent) => printMs(values[percent])),
        ]),
      },
    }),
  );
}

const MEANS_WORDS =
  "Between tokens, solid: every gap as it was, as vllm bench serve counts ITL; dashed: each as the mean of its request, as GuideLLM does.";

/** @param known the first is marked at 50 and 99 %, the second named */
function panel(known: readonly [Known, ...Known[]]): Panel {
  const [{ latency }] = known;
  return {
    heading: NAMES[latency],
    label: known.map(sentence).join(" "),
    draw: (widthPx) => cdfPlot(known.map(line), Y_LABELS[latency] ?? "% of requests", widthPx),
  };
}

function line({ latency, values }: Known, index: number): CdfLine {
  const drawn = { name: SHORT_NAMES[latency], quantiles: values };
  return index === 0
    ? { ...drawn, color: COLORS[latency], labelAt: "percentiles" }
    : { ...drawn, color: INK, isDashed: true, labelAt: MEAN_LABEL };
}

function sentence({ latency, values }: Known): string {
  const [median, p99, most] = [50, 99, 100].map((percent) => printMs(values[percent]));
  return `${NAMES[latency]}: half within ${median}, 99 % within ${p99}, all within ${most}.`;
}
