import { barX, type PlotOptions, pointerY, text, tip } from "@observablehq/plot";
import type { Bound } from "../../core/analysis/stepLog.js";
import { BOUND_COLORS, INK } from "../colors.js";
import { section } from "../element.js";
import { figure } from "../figure.js";
import { keyOf } from "../key.js";
import { printCount, printFraction, printUs } from "../numbers.js";
import { PLOT_STYLE, TIP } from "../plotStyle.js";
import type { ComponentsSection } from "../reportPage.js";

export const BOUND_WORDS: Readonly<Record<Bound, string>> = {
  memory: "memory bandwidth",
  compute: "compute",
  network: "interconnect",
  launch: "kernel launch",
  wait: "gaps between kernels",
};

/** A component of the mean step. */
interface Row {
  readonly name: string;
  readonly us: number;
  readonly fraction: number;
  readonly boundUs: Readonly<Partial<Record<Bound, number>>>;
}

/** Part of a component's bar. */
interface Bar {
  readonly name: string;
  readonly bound: Bound;
  readonly us: number;
}

const MOST_ROWS = 10;
const ROW_PX = 24;

/** Where the time of the mean step goes, and what binds it. */
export function components({ components: given, steps, bounds }: ComponentsSection): HTMLElement {
  const rows = rowsOf(given, steps);
  const used = bounds.map(({ bound }) => bound);
  const stepUs = rows.reduce((sum, { us }) => sum + us, 0);
  const largest = bounds.map(({ bound, fraction }) => `${printFraction(fraction)} ${BOUND_WORDS[bound]}`).join(", ");
  const caption =
    `A step takes ${printUs(stepUs)} on the GPU, on average over ${printCount(steps)}. It is bound by ${largest}. ` +
    `Largest: ${rows
      .slice(0, 3)
      .map(({ name, fraction }) => `${name} ${printFraction(fraction)}`)
      .join(", ")}.`;
  return section(
    "step",
    "Where a step's time goes",
    keyOf(used.map((bound) => ({ name: BOUND_WORDS[bound], color: BOUND_COLORS[bound] }))),
    figure({
      layout: "stack",
      panels: [{ label: caption, draw: (widthPx) => componentsPlot(rows, used, widthPx) }],
      caption,
      table: {
        columns: ["component", "µs per step", "share", ...used.map((bound) => BOUND_WORDS[bound])],
        rows: rows.map(({ name, us, fraction, boundUs }) => [
          name,
          us.toFixed(1),
          printFraction(fraction),
          ...used.map((bound) => printUs(boundUs[bound] ?? 0)),
        ]),
      },
    }),
  );
}

/** µs of the mean step; the small ones together. */
function rowsOf(given: ComponentsSection["components"], steps: number): Row[] {
  const rows = given.map(
    ({ name, us, fraction, boundUs }): Row => ({ name, us: us / steps, fraction, boundUs: perStep(boundUs, steps) }),
  );
  if (rows.length <= MOST_ROWS + 1) return rows;
  const rest = rows.slice(MOST_ROWS);
  const bounds = new Set(rest.flatMap(({ boundUs }) => Object.keys(boundUs) as Bound[]));
  const sum = (value: (row: Row) => number) => rest.reduce((total, row) => total + value(row), 0);
  return [
    ...rows.slice(0, MOST_ROWS),
    {
      name: `${rest.length} others`,
      us: sum(({ us }) => us),
      fraction: sum(({ fraction }) => fraction),
      boundUs: Object.fromEntries([...bounds].map((bound) => [bound, sum(({ boundUs }) => boundUs[bound] ?? 0)])),
    },
  ];
}

function perStep(boundUs: Row["boundUs"], steps: number): Row["boundUs"] {
  return Object.fromEntries(Object.entries(boundUs).map(([bound, us]) => [bound, us / steps]));
}

function componentsPlot(rows: readonly Row[], used: readonly Bound[], widthPx: number): PlotOptions {
  const bars = rows.flatMap(({ name, boundUs }) =>
    used.flatMap((bound): Bar[] => (boundUs[bound] === undefined ? [] : [{ name, bound, us: boundUs[bound] }])),
  );
  return {
    height: rows.length * ROW_PX + 10,
    marginLeft: Math.min(190, widthPx * 0.38),
    marginRight: 110,
    marginTop: 2,
    marginBottom: 8,
    x: { axis: null, zero: true },
    y: { domain: rows.map(({ name }) => name), label: null, tickSize: 0, padding: 0.28 },
    marks: [
      barX(bars, { x: "us", y: "name", fill: ({ bound }: Bar) => BOUND_COLORS[bound], order: "bound" }),
      text(rows, {
        x: "us",
        y: "name",
        text: ({ us, fraction }: Row) => `${printUs(us)} · ${printFraction(fraction)}`,
        textAnchor: "start",
        dx: 6,
        fill: INK,
      }),
      tip(
        rows,
        pointerY({
          x: "us",
          y: "name",
          maxRadius: Number.POSITIVE_INFINITY,
          title: ({ name, boundUs }: Row) =>
            [
              name,
              ...Object.entries(boundUs).map(([bound, us]) => `${BOUND_WORDS[bound as Bound]} ${printUs(us)}`),
            ].join("\n"),
          ...TIP,
        }),
      ),
    ],
    ...PLOT_STYLE,
  };
}
