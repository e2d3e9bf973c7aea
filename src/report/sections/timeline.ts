import { areaY, lineY, type PlotOptions, pointerX, ruleX, ruleY, text, tip } from "@observablehq/plot";
import { INK, MUTED, PHASE_COLORS } from "../colors.js";
import { section } from "../element.js";
import { figure, type Panel } from "../figure.js";
import { printCount, printFraction, type TimeUnit, timeUnit } from "../numbers.js";
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
}

const RUNNING: Series = { name: "running", color: "var(--e2e)", value: ({ running }) => running };
const WAITING: Series = { name: "waiting", color: "var(--queue)", value: ({ waiting }) => waiting };
const PREFILL: Series = { name: "prefill", color: PHASE_COLORS.prefill, value: ({ prefill }) => prefill };
const DECODE: Series = { name: "decode", color: PHASE_COLORS.decode, value: ({ decode }) => decode };
const KV: Series = { name: "KV cache", color: "var(--memory)", value: ({ kvPercent }) => kvPercent };

const HEIGHT_PX = 150;
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
        stackedPanel(slices, unit),
        kvPanel(slices, unit),
      ],
      caption: caption(slices),
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
    label: series.map((one) => seriesWords(one, slices)).join("; "),
    draw: () => ({
      ...axes(slices, unit),
      marks: [
        ...series.flatMap(({ color, value }, i) => [
          ...(i === 0 ? [areaY(slices, { x: "at", y: value, fill: color, fillOpacity: 0.14 })] : []),
          lineY(slices, { x: "at", y: value, stroke: color, strokeWidth: 1.75 }),
        ]),
        ...series.map((one) => peakLabel(one, slices)),
        ...hover(slices, unit, series),
      ],
    }),
  };
}

function stackedPanel(slices: readonly Slice[], unit: TimeUnit): Panel {
  const total: Series = { name: "tokens", color: INK, value: ({ prefill, decode }) => prefill + decode };
  return {
    heading: "Tokens per step",
    label: [DECODE, PREFILL].map((one) => seriesWords(one, slices)).join("; "),
    draw: () => ({
      ...axes(slices, unit),
      marks: [
        areaY(slices, { x: "at", y1: 0, y2: "decode", fill: DECODE.color, fillOpacity: 0.85 }),
        areaY(slices, { x: "at", y1: "decode", y2: total.value, fill: PREFILL.color, fillOpacity: 0.75 }),
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
    label: `KV cache at most ${printFraction(most / 100)} full`,
    draw: () => ({
      ...axes(slices, unit),
      y: { label: "%", grid: true, ticks: 4, domain: [0, most > 50 ? 100 : Math.max(most * 1.15, 1)] },
      marks: [
        areaY(slices, { x: "at", y: "kvPercent", fill: KV.color, fillOpacity: 0.2 }),
        lineY(slices, { x: "at", y: "kvPercent", stroke: KV.color, strokeWidth: 1.75 }),
        ...(most > 50 ? [ruleY([100], { stroke: MUTED, strokeDasharray: "3 3" })] : []),
        ruleX(preempted, { x: "at", y1: 0, y2: 6, stroke: PHASE_COLORS.preempted, strokeWidth: 1.5 }),
        ...hover(slices, unit, [KV]),
      ],
    }),
  };
}

function axes(slices: readonly Slice[], unit: TimeUnit): PlotOptions {
  const last = slices.at(-1);
  return {
    height: HEIGHT_PX,
    marginLeft: 48,
    marginRight: 16,
    marginTop: 14,
    marginBottom: 34,
    x: { domain: [0, last === undefined ? 1 : last.at + (slices[0]?.at ?? 0)], label: `simulated time, ${unit.name}` },
    y: { label: null, grid: true, ticks: 4, zero: true, nice: true },
    ...PLOT_STYLE,
  };
}

/** The name of a series, at its peak. */
function peakLabel({ name, color, value }: Series, slices: readonly Slice[]) {
  const peak = slices.reduce((a, b) => (value(b) > value(a) ? b : a), slices[0] as Slice);
  const isLate = peak.at > (slices.at(-1)?.at ?? 0) / 2;
  return text(value(peak) > 0.05 ? [peak] : [], {
    x: "at",
    y: value,
    text: () => `${name}, peak ${printCount(Number(value(peak).toPrecision(3)))}`,
    fill: color,
    fontWeight: 600,
    textAnchor: isLate ? "end" : "start",
    dx: isLate ? -6 : 6,
    dy: -2,
    ...HALO,
  });
}

/** A line that follows the pointer, and what stands at it. */
function hover(slices: readonly Slice[], unit: TimeUnit, series: readonly Series[], top: Series = series[0] as Series) {
  const words = (slice: Slice) =>
    series.map(
      (one) =>
        `${one.name} ${one === KV ? printFraction(slice.kvPercent / 100) : printCount(Number(one.value(slice).toPrecision(3)))}`,
    );
  const title = (slice: Slice) =>
    [`at ${printCount(Number(slice.at.toPrecision(4)))} ${unit.name}`, ...words(slice)].join("\n");
  return [
    ruleX(slices, pointerX({ x: "at", stroke: MUTED, strokeWidth: 1 })),
    tip(slices, pointerX({ x: "at", y: top.value, title, maxRadius: Number.POSITIVE_INFINITY, ...TIP })),
  ];
}

function seriesWords({ name, value }: Series, slices: readonly Slice[]): string {
  const values = slices.map(value);
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  const rounded = (number: number) => printCount(Number(number.toPrecision(3)));
  return `${name} ${rounded(mean)} on average, ${rounded(Math.max(...values))} at most`;
}

function caption(slices: readonly Slice[]): string {
  const preemptions = Math.round(slices.reduce((sum, slice) => sum + slice.preemptions, 0));
  const kvMost = Math.max(...slices.map(KV.value)) / 100;
  const lost = preemptions === 0 ? "no request was preempted" : `${printCount(preemptions)} preemptions (red)`;
  return (
    `Requests in service and not yet started: ${seriesWords(RUNNING, slices)}; ${seriesWords(WAITING, slices)}. ` +
    `Tokens of a step: ${seriesWords(PREFILL, slices)}; ${seriesWords(DECODE, slices)}. ` +
    `KV cache: at most ${printFraction(kvMost)} in a slice; ${lost}.`
  );
}

function table(slices: readonly Slice[], unit: TimeUnit) {
  const stride = Math.ceil(slices.length / TABLE_ROWS);
  const rows = slices.filter((_, i) => i % stride === 0);
  const short = (value: number) => printCount(Number(value.toPrecision(3)));
  return {
    columns: [`time, ${unit.name}`, "running", "waiting", "prefill tokens/step", "decode tokens/step", "KV cache"],
    rows: rows.map((slice) => [
      short(slice.at),
      short(slice.running),
      short(slice.waiting),
      short(slice.prefill),
      short(slice.decode),
      printFraction(slice.kvPercent / 100),
    ]),
  };
}
