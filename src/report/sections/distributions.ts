import type { Quantiles } from "../../core/metrics/quantiles.js";
import { cdfPlot } from "../cdf.js";
import { LATENCY_COLORS } from "../colors.js";
import { element, section } from "../element.js";
import { figure, type Panel } from "../figure.js";
import { printMs } from "../numbers.js";
import type { DistributionsSection } from "../reportPage.js";

type Latency = keyof DistributionsSection["quantiles"];

const NAMES: Readonly<Record<Latency, string>> = {
  ttftMs: "Time to first token",
  itlMs: "Time between tokens",
  e2eMs: "End to end",
  queueMs: "Wait in the queue",
};
const SHORT_NAMES: Readonly<Record<Latency, string>> = { ttftMs: "TTFT", itlMs: "ITL", e2eMs: "E2E", queueMs: "queue" };
const TABLE_PERCENTS = [0, 10, 25, 50, 75, 90, 95, 99, 100];

/** A cumulative distribution per latency. */
export function distributions({ quantiles }: DistributionsSection): HTMLElement {
  const latencies = Object.keys(NAMES) as Latency[];
  const known = latencies.flatMap((latency) => {
    const values = quantiles[latency];
    return values === null ? [] : [{ latency, values }];
  });
  if (known.length === 0) {
    return section("latency", "Latency", element("p", {}, "No request was completed: there is no latency to show."));
  }
  return section(
    "latency",
    "Latency",
    figure({
      layout: "halves",
      panels: known.map(({ latency, values }) => panel(latency, values)),
      caption: `Share of requests (for time between tokens, the mean of each request: of tokens) served within a time. ${known
        .map(({ latency, values }) => sentence(latency, values))
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

function panel(latency: Latency, quantiles: Quantiles): Panel {
  const line = {
    name: SHORT_NAMES[latency],
    quantiles,
    color: LATENCY_COLORS[latency],
    labelAt: "percentiles",
  } as const;
  return {
    heading: NAMES[latency],
    label: sentence(latency, quantiles),
    draw: (widthPx) => cdfPlot([line], latency === "itlMs" ? "% of tokens" : "% of requests", widthPx),
  };
}

function sentence(latency: Latency, quantiles: Quantiles): string {
  const [median, p99, most] = [50, 99, 100].map((percent) => printMs(quantiles[percent]));
  return `${NAMES[latency]}: half within ${median}, 99 % within ${p99}, all within ${most}.`;
}
