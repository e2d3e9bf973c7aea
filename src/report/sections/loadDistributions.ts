import type { LatencyQuantiles } from "../../core/analysis/sweep/sweepRun.js";
import { type CdfLine, cdfPlot } from "../cdf.js";
import { INK, rampColor, seriesColor } from "../colors.js";
import { element, section } from "../element.js";
import { figure, type Panel } from "../figure.js";
import { keyOf } from "../key.js";
import { printMs } from "../numbers.js";
import type { LoadDistributionsSection } from "../sweepSections.js";

type Latency = keyof LatencyQuantiles;
type Server = LoadDistributionsSection["servers"][number];

const NAMES: Readonly<Record<Latency, string>> = {
  ttftMs: "Time to first token",
  tpotMs: "Time per output token",
  e2eMs: "End to end",
};
const LATENCIES = Object.keys(NAMES) as Latency[];
const TABLE_PERCENTS = [50, 90, 99, 100];
/** Servers whose plots are open at once; the others wait behind a line. */
const NUM_OPEN = 2;
/** Labels stand where neighbouring curves are not: the fastest to the left of its curve, the slowest to the right. */
const FIRST_LABEL = { percent: 88, side: "left" } as const;
const LAST_LABEL = { percent: 12, side: "right" } as const;

/** Cumulative distributions: a row of plots for each server, in it a curve for each load, or all in one row. */
export function loadDistributions({ servers }: LoadDistributionsSection): HTMLElement {
  const known = servers.filter(({ loads }) => loads.length > 0);
  const content = known.every(({ loads }) => loads.length === 1) ? [ofSingleLoads(known)] : known.map(ofServer);
  const body =
    content.length === 0 ? [element("p", {}, "No request was completed: there is no latency to show.")] : content;
  return section("distributions", "How latencies spread", ...body);
}

/** Pale curves are low loads. */
function ofServer({ name, loads }: Server, index: number): HTMLElement {
  const color = seriesColor(index);
  const shade = (i: number) => rampColor(color, loads.length === 1 ? 1 : i / (loads.length - 1));
  const entries = loads.map((load, i) => ({ name: load.name, color: shade(i), quantiles: load.quantiles }));
  const drawn = curves(entries, `${name === "" ? "" : `${name}: `}the paler, the lower the load`);
  if (name === "") return drawn;
  return element(
    "details",
    { class: "run", ...(index < NUM_OPEN ? { open: "" } : {}) },
    element("summary", {}, element("strong", {}, name)),
    drawn,
  );
}

function ofSingleLoads(servers: readonly Server[]): HTMLElement {
  const entries = servers.flatMap(({ name, loads }, i) =>
    loads.map((load) => ({ name: name === "" ? load.name : name, color: seriesColor(i), quantiles: load.quantiles })),
  );
  return curves(entries, "a curve for each server");
}

interface Entry {
  readonly name: string;
  readonly color: string;
  readonly quantiles: LatencyQuantiles;
}

function curves(entries: readonly Entry[], says: string): HTMLElement {
  const first = entries[0]!;
  const last = entries.at(-1)!;
  const ends = entries.length === 1 ? [first] : [first, last];
  const endWords = ends.map(
    ({ name, quantiles }) =>
      `${name}: half within ${printMs(quantiles.e2eMs[50])}, 99 % within ${printMs(quantiles.e2eMs[99])}`,
  );
  return element(
    "div",
    {},
    keyOf(entries),
    figure({
      layout: "thirds",
      panels: LATENCIES.flatMap((latency) => panel(entries, latency)),
      caption: `Share of completed requests served within a time; ${says}. End to end at ${endWords.join("; at ")}.`,
      table: {
        columns: [
          "load",
          ...LATENCIES.flatMap((latency) => TABLE_PERCENTS.map((percent) => `${shortName(latency)} ${percent} %`)),
        ],
        rows: entries.map(({ name, quantiles }) => [
          name,
          ...LATENCIES.flatMap((latency) => TABLE_PERCENTS.map((percent) => printMs(quantiles[latency][percent]))),
        ]),
      },
    }),
  );
}

function panel(entries: readonly Entry[], latency: Latency): Panel[] {
  const known = entries.filter(({ quantiles }) => quantiles[latency].length > 0);
  if (known.length === 0) return [];
  const lines = known.map(({ name, color, quantiles }, i): CdfLine => {
    const end = i === 0 ? FIRST_LABEL : i === known.length - 1 ? LAST_LABEL : undefined;
    return {
      name,
      color,
      // A pale name could not be read.
      labelColor: INK,
      quantiles: quantiles[latency],
      labelAt: known.length === 1 ? "percentiles" : (end ?? "none"),
    };
  });
  return [
    {
      heading: NAMES[latency],
      label: `${NAMES[latency]}. ${known
        .map(
          ({ name, quantiles }) =>
            `${name}: half within ${printMs(quantiles[latency][50])}, 99 % within ${printMs(quantiles[latency][99])}`,
        )
        .join("; ")}.`,
      draw: (widthPx) => cdfPlot(lines, "% of requests", widthPx),
    },
  ];
}

function shortName(latency: Latency): string {
  return latency.slice(0, -2).toUpperCase();
}
