import { areaY, lineY, type PlotOptions, pointerX, ruleX, text, tip } from "@observablehq/plot";
import { INK, MUTED, PHASE_COLORS } from "../colors.js";
import { section } from "../element.js";
import { figure, type Panel } from "../figure.js";
import { printCount, printMs, printPercent, type TimeUnit, timeUnit } from "../numbers.js";
import { HALO, PLOT_STYLE, TIP } from "../plotStyle.js";
import type { TimelineSection } from "../reportPage.js";

/** One slice of the run, for drawing; `at` is its middle in the axis' unit. */
interface Slice {
  readonly at: number;
  readonly running: number;
  readonly waiting: number;
  readonly prefill: number;
  readonly decode: number;
  readonly kvPercent: number;
  readonly preemptions: number;
}

/** A quantity over time. */
interface Series {
  readonly name: string;
  readonly color: string;
  readonly value: (slice: Slice) => number;
  readonly print: (value: number) => string;
}

const RUNNING: Series = { name: "running", color: "var(--e2e)", value: ({ running }) => running, print: printCount };
const WAITING: Series = { name: "waiting", color: "var(--queue)", value: ({ waiting }) => waiting, print: printCount };
const PREFILL: Series = {
  name: "prefill",
  color: PHASE_COLORS.prefill,
  value: ({ prefill }) => prefill,
  print: printCount,
};
const DECODE: Series = { name: "decode", color: PHASE_COLORS.decode, value: ({ decode }) => decode, print: printCount };
const KV: Series = {
  name: "KV cache",
  color: "var(--memory)",
  value: ({ kvPercent }) => kvPercent,
  print: printPercent,
};

const HEIGHT_PX = 140;
/** Room for the name of an axis. */
const LABEL_PX = 12;
const TALL_SHARE = 0.1;
const TABLE_ROWS = 24;

/** Requests, tokens per step and KV cache over simulated time. */
export function timeline({ timeline: given }: TimelineSection): HTMLElement {
  const unit = timeUnit(given.sliceS * given.running.length);
  const slices = slicesOf(given, unit);
  return section(
    "timeline",
    "Over time",
    figure({
      layout: "stack",
      panels: [
        linesPanel("Requests", slices, unit, [RUNNING, WAITING]),
        tokensPanel(slices, unit),
        kvPanel(slices, unit),
      ],
      caption: caption(slices, given.sliceS),
      table: table(slices, unit),
    }),
  );
}

function slicesOf(given: TimelineSection["timeline"], unit: TimeUnit): Slice[] {
  const perStep = (tokens: number, steps: number) => (steps > 0 ? tokens / steps : 0);
  return given.running.map((running, i) => ({
    at: ((i + 0.5) * given.sliceS) / unit.seconds,
    running,
    waiting: given.waiting[i] ?? 0,
    prefill: perStep(given.prefillTokens[i] ?? 0, given.steps[i] ?? 0),
    decode: perStep(given.decodeTokens[i] ?? 0, given.steps[i] ?? 0),
    kvPercent: 100 * (given.kvFraction[i] ?? 0),
    preemptions: given.preemptions[i] ?? 0,
  }));
}

function linesPanel(heading: string, slices: readonly Slice[], unit: TimeUnit, series: readonly Series[]): Panel {
  return {
    heading,
    key: series,
    label: series.map((one) => seriesWords(one, slices)).join("; "),
    draw: () => ({
      ...axes(slices),
      marks: [
        ...series.flatMap(({ color, value }, i) => [
          ...(i === 0 ? [areaY(slices, { x: "at", y: value, fill: color, fillOpacity: 0.14 })] : []),
          lineY(slices, { x: "at", y: value, stroke: color, strokeWidth: 1.75 }),
        ]),
        ...series.filter((one) => isTall(one, slices, series)).map((one) => peakLabel(slices, one)),
        ...hover(slices, unit, series),
      ],
    }),
  };
}

function tokensPanel(slices: readonly Slice[], unit: TimeUnit): Panel {
  const total: Series = {
    name: "tokens",
    color: INK,
    value: ({ prefill, decode }) => prefill + decode,
    print: printCount,
  };
  return {
    heading: "Tokens per step",
    key: [PREFILL, DECODE],
    label: [DECODE, PREFILL].map((one) => seriesWords(one, slices)).join("; "),
    draw: () => ({
      ...axes(slices),
      marks: [
        areaY(slices, { x: "at", y1: 0, y2: "decode", fill: DECODE.color, fillOpacity: 0.85 }),
        areaY(slices, { x: "at", y1: "decode", y2: total.value, fill: PREFILL.color, fillOpacity: 0.75 }),
        peakLabel(slices, total),
        ...hover(slices, unit, [PREFILL, DECODE], total),
      ],
    }),
  };
}

function kvPanel(slices: readonly Slice[], unit: TimeUnit): Panel {
  const most = Math.max(...slices.map(KV.value));
  const preempted = slices.filter(({ preemptions }) => preemptions > 0);
  return {
    heading: "KV cache in use",
    label: seriesWords(KV, slices),
    draw: () => ({
      ...axes(slices, `simulated time, ${unit.name}`),
      y: {
        ...Y_AXIS,
        tickFormat: (percent: number) => `${percent} %`,
        domain: [0, most > 50 ? 100 : Math.max(most * 1.15, 1)],
      },
      marks: [
        areaY(slices, { x: "at", y: "kvPercent", fill: KV.color, fillOpacity: 0.2 }),
        lineY(slices, { x: "at", y: "kvPercent", stroke: KV.color, strokeWidth: 1.75 }),
        peakLabel(slices, KV),
        ruleX(preempted, { x: "at", y1: 0, y2: 6, stroke: PHASE_COLORS.preempted, strokeWidth: 1.5 }),
        ...hover(slices, unit, [KV]),
      ],
    }),
  };
}

const Y_AXIS = { label: null, grid: true, ticks: 4 } as const;

/** The same in all panels, so that they line up; only the last one names its time axis. */
function axes(slices: readonly Slice[], xLabel: string | null = null): PlotOptions {
  const last = slices.at(-1);
  return {
    height: HEIGHT_PX + (xLabel === null ? 0 : LABEL_PX),
    marginLeft: 48,
    marginRight: 16,
    marginTop: 18,
    marginBottom: 24 + (xLabel === null ? 0 : LABEL_PX),
    x: { domain: [0, last === undefined ? 1 : last.at + (slices[0]?.at ?? 0)], label: xLabel },
    y: { ...Y_AXIS, zero: true, nice: true },
    ...PLOT_STYLE,
  };
}

/** Whether a line leaves the axis, so that its peak can be told from it. */
function isTall({ value }: Series, slices: readonly Slice[], beside: readonly Series[]): boolean {
  const most = Math.max(...beside.flatMap((other) => slices.map(other.value)));
  return Math.max(...slices.map(value)) > TALL_SHARE * most;
}

/** The greatest value of a series, where it is. */
function peakLabel(slices: readonly Slice[], { color, value, print }: Series) {
  const peak = slices.reduce((a, b) => (value(b) > value(a) ? b : a), slices[0] as Slice);
  return text(value(peak) > 0 ? [peak] : [], {
    x: "at",
    y: value,
    text: () => print(value(peak)),
    fill: color,
    fontWeight: 600,
    dy: -9,
    ...HALO,
  });
}

/** A line that follows the pointer, and what stands at it. @param top the series whose line the tooltip points at */
function hover(slices: readonly Slice[], unit: TimeUnit, series: readonly Series[], top: Series = series[0] as Series) {
  const title = (slice: Slice) =>
    [
      `at ${printCount(slice.at)} ${unit.name}`,
      ...series.map(({ name, value, print }) => `${name} ${print(value(slice))}`),
    ].join("\n");
  return [
    ruleX(slices, pointerX({ x: "at", stroke: MUTED, strokeWidth: 1 })),
    tip(slices, pointerX({ x: "at", y: top.value, title, maxRadius: Number.POSITIVE_INFINITY, ...TIP })),
  ];
}

function seriesWords({ name, value, print }: Series, slices: readonly Slice[]): string {
  const values = slices.map(value);
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  return `${name} ${print(mean)} on average, ${print(Math.max(...values))} in the busiest slice`;
}

function caption(slices: readonly Slice[], sliceS: number): string {
  const preemptions = Math.round(slices.reduce((sum, slice) => sum + slice.preemptions, 0));
  const lost = preemptions === 0 ? "no request was preempted" : `${printCount(preemptions)} preemptions (red)`;
  return (
    `Requests in service and not yet started: ${seriesWords(RUNNING, slices)}; ${seriesWords(WAITING, slices)}. ` +
    `Tokens of a step: ${seriesWords(PREFILL, slices)}; ${seriesWords(DECODE, slices)}. ` +
    `${seriesWords(KV, slices)}; ${lost}. All are means of slices of ${printMs(1000 * sliceS)}: single steps may exceed them.`
  );
}

function table(slices: readonly Slice[], unit: TimeUnit) {
  const stride = Math.ceil(slices.length / TABLE_ROWS);
  const rows = slices.filter((_, i) => i % stride === 0);
  return {
    columns: [`time, ${unit.name}`, "running", "waiting", "prefill tokens/step", "decode tokens/step", "KV cache"],
    rows: rows.map((slice) => [
      printCount(slice.at),
      printCount(slice.running),
      printCount(slice.waiting),
      printCount(slice.prefill),
      printCount(slice.decode),
      printPercent(slice.kvPercent),
    ]),
  };
}
