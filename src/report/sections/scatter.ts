import {
  areaY,
  axisX,
  axisY,
  dot,
  dotX,
  gridX,
  gridY,
  line,
  type PlotOptions,
  pointer,
  ruleX,
  text,
  tip,
} from "@observablehq/plot";
import type { Comparison } from "../../core/evaluation/compareRun.js";
import { INK, LATENCY_COLORS, MUTED } from "../colors.js";
import { section } from "../element.js";
import { figure, type Panel } from "../figure.js";
import { keyOf } from "../key.js";
import { logTicks } from "../logTicks.js";
import { printChange, printFraction, printMs, tickMs } from "../numbers.js";
import { HALO, PLOT_STYLE, TIP } from "../plotStyle.js";
import { REGIME_WORDS } from "../regimeWords.js";
import type { ScatterSection } from "../reportPage.js";

type Run = ScatterSection["runs"][number];
type Latency = "e2eMs" | "ttftMs" | "itlMs";

const NAMES: Readonly<Record<Latency, string>> = { e2eMs: "E2E", ttftMs: "TTFT", itlMs: "ITL" };
const LATENCIES = Object.keys(NAMES) as Latency[];
const STATISTICS = ["mean", "p50", "p99"] as const;
/** Within this of the measured number lies the band about the identity line. */
const BAND = 0.1;
const MAX_TICKS = 6;
const ROW_PX = 44;

/** A number of a run, measured and predicted. */
interface Point {
  readonly run: string;
  readonly latency: Latency;
  readonly statistic: (typeof STATISTICS)[number];
  readonly measured: number;
  readonly predicted: number;
  readonly error: number;
}

/** Predicted against measured, and the errors run by run. */
export function scatter({ runs }: ScatterSection): HTMLElement {
  const counted = runs.filter(({ excluded }) => excluded === null);
  const points = counted.flatMap(pointsOf);
  const means = points.filter(({ statistic }) => statistic === "mean");
  const within = points.filter(({ error }) => Math.abs(error) <= BAND).length;
  const caption =
    `${within} of ${points.length} numbers (mean, median and 99th percentile of each latency and run) are predicted ` +
    `within ${printFraction(BAND)}, the band about the diagonal. On the right the error of the means, run by run.`;
  return section(
    "errors",
    "Predicted against measured",
    keyOf(LATENCIES.map((latency) => ({ name: NAMES[latency], color: LATENCY_COLORS[latency] }))),
    figure({
      layout: "halves",
      panels: points.length === 0 ? [] : [scatterPanel(points), errorPanel(counted, means)],
      caption,
      table: table(runs),
    }),
  );
}

function pointsOf({ name, metrics }: Run): Point[] {
  return LATENCIES.flatMap((latency) =>
    STATISTICS.flatMap((statistic): Point[] => {
      const { measured, predicted } = metrics[latency][statistic];
      if (measured === null || predicted === null || !(measured > 0) || !(predicted > 0)) return [];
      return [{ run: name, latency, statistic, measured, predicted, error: predicted / measured - 1 }];
    }),
  );
}

function scatterPanel(points: readonly Point[]): Panel {
  const values = points.flatMap(({ measured, predicted }) => [measured, predicted]);
  const domain: [number, number] = [Math.min(...values) / 1.3, Math.max(...values) * 1.3];
  const scale = { type: "log", domain } as const;
  const ticks = logTicks(domain, MAX_TICKS);
  return {
    heading: "Every number",
    label: `Predicted against measured latencies, ${points.length} numbers on logarithmic axes`,
    draw: (widthPx): PlotOptions => ({
      height: Math.min(widthPx, 460),
      marginLeft: 58,
      marginRight: 24,
      marginBottom: 42,
      x: scale,
      y: scale,
      marks: [
        gridX(ticks),
        gridY(ticks),
        axisX(ticks, { text: tickMs, label: "measured", labelAnchor: "center" }),
        axisY(ticks, { text: tickMs, label: "predicted" }),
        areaY(domain, {
          x: (ms: number) => ms,
          y1: (ms: number) => ms * (1 - BAND),
          y2: (ms: number) => ms * (1 + BAND),
          fill: INK,
          fillOpacity: 0.08,
          clip: true,
        }),
        line(
          domain.map((ms) => [ms, ms]),
          { stroke: MUTED, strokeWidth: 1 },
        ),
        dot(points, {
          x: "measured",
          y: "predicted",
          r: 4,
          fill: ({ latency }: Point) => LATENCY_COLORS[latency],
          fillOpacity: 0.7,
          stroke: ({ latency }: Point) => LATENCY_COLORS[latency],
        }),
        tip(points, pointer({ x: "measured", y: "predicted", title: tipText, maxRadius: 60, ...TIP })),
      ],
      ...PLOT_STYLE,
    }),
  };
}

function errorPanel(runs: readonly Run[], means: readonly Point[]): Panel {
  const names = runs.map(({ name }) => name);
  const most = Math.max(...means.map(({ error }) => Math.abs(error)), 0.02) * 1.15;
  const titles = new Map(runs.map(({ name, regime }) => [name, titleOf(name, regime)]));
  return {
    heading: "Error of the means, by run",
    label: means.map(({ run, latency, error }) => `${run} ${NAMES[latency]} ${printChange(error)}`).join(", "),
    draw: (): PlotOptions => ({
      height: names.length * ROW_PX + 62,
      marginLeft: 12,
      marginRight: 22,
      marginTop: 20,
      marginBottom: 42,
      x: {
        domain: [-most, most],
        label: "predicted beside measured",
        labelAnchor: "center",
        labelArrow: "none",
        tickFormat: (error: number) => printChange(error),
        ticks: 4,
        grid: true,
      },
      y: { domain: names, axis: null, padding: 0 },
      marks: [
        ruleX([0], { stroke: INK }),
        text(names, {
          y: (run: string) => run,
          frameAnchor: "left",
          text: (run: string) => titles.get(run) ?? run,
          textAnchor: "start",
          dy: -17,
          fill: MUTED,
          fontSize: 11,
          ...HALO,
        }),
        // One below the other, so that equal errors do not hide each other.
        ...LATENCIES.map((latency, i) =>
          dotX(
            means.filter((point) => point.latency === latency),
            { x: "error", y: "run", r: 4.5, dy: (i - 1) * 7 + 2, fill: LATENCY_COLORS[latency] },
          ),
        ),
        tip(means, pointer({ x: "error", y: "run", title: tipText, maxRadius: 60, ...TIP })),
      ],
      ...PLOT_STYLE,
    }),
  };
}

/** A run's name, and its regime where errors are amplified. */
function titleOf(name: string, regime: Run["regime"]): string {
  if (regime.closedLoop || regime.label === "below") return name;
  return `${name}, ${REGIME_WORDS[regime.label]} saturation`;
}

function tipText({ run, latency, statistic, measured, predicted, error }: Point): string {
  return [
    run,
    `${NAMES[latency]} ${statistic}: ${printChange(error)}`,
    `measured ${printMs(measured)}`,
    `predicted ${printMs(predicted)}`,
  ].join("\n");
}

function table(runs: readonly Run[]) {
  const titled = [
    ["E2E mean", (run: Run) => run.metrics.e2eMs.mean],
    ["E2E p99", (run: Run) => run.metrics.e2eMs.p99],
    ["TTFT mean", (run: Run) => run.metrics.ttftMs.mean],
    ["TTFT p50", (run: Run) => run.metrics.ttftMs.p50],
    ["ITL mean", (run: Run) => run.metrics.itlMs.mean],
  ] as const;
  return {
    columns: ["run", "saturation", ...titled.map(([title]) => title), "excluded"],
    rows: runs.map((run) => [
      run.name,
      REGIME_WORDS[run.regime.closedLoop ? "closedLoop" : run.regime.label],
      ...titled.map(([, of]) => comparisonWords(of(run))),
      run.excluded ?? "",
    ]),
  };
}

function comparisonWords({ measured, predicted }: Comparison): string {
  if (measured === null || predicted === null) return "–";
  return `${printMs(measured)} → ${printMs(predicted)} (${printChange(predicted / measured - 1)})`;
}
