import { barY, type PlotOptions, pointerX, stackY, tip } from "@observablehq/plot";
import { seriesColor } from "../colors.js";
import { section } from "../element.js";
import { figure, type Panel } from "../figure.js";
import { keyOf } from "../key.js";
import { printFraction, printUs, tickMs } from "../numbers.js";
import { LETTER_PX, PLOT_STYLE, TIP } from "../plotStyle.js";
import type { LoadStepsSection } from "../sweepSections.js";

type Server = LoadStepsSection["servers"][number];

const US_PER_MS = 1000;
const HEIGHT_PX = 230;
/** Beside the bars. */
const MARGIN_PX = 72;

/** Part of a load's bar. */
interface Part {
  readonly load: string;
  readonly component: string;
  readonly ms: number;
}

/** GPU time of the mean step, load by load, by component. */
export function loadSteps({ components, servers }: LoadStepsSection): HTMLElement {
  const known = servers.filter(({ loads }) => loads.length > 0);
  const mostMs = Math.max(...known.flatMap(({ loads }) => loads.map(({ stepUs }) => stepUs))) / US_PER_MS;
  return section(
    "step",
    "Where a step's time goes",
    keyOf(components.map((name, i) => ({ name, color: componentColor(components, i) }))),
    figure({
      layout: known.length === 1 ? "stack" : "halves",
      panels: known.map((server) => panel(components, server, mostMs)),
      caption: `GPU time of the mean step at each load. ${known.map((server) => words(components, server)).join(" ")}`,
      table: {
        columns: [...(known.length === 1 ? [] : ["server"]), "load", "step", ...components],
        rows: known.flatMap(({ name, loads }) =>
          loads.map((load) => [
            ...(known.length === 1 ? [] : [name]),
            load.name,
            printUs(load.stepUs),
            ...load.fractions.map(printFraction),
          ]),
        ),
      },
    }),
  );
}

/** The last stands for all others where there are more than colours. */
function componentColor(components: readonly string[], index: number): string {
  return components[index] === "others" ? "var(--gap)" : seriesColor(index);
}

/** `H100: 8.1 ms at poisson 1/s, 21 ms at poisson 20/s, of which gate_up_proj 33 %.` */
function words(components: readonly string[], { name, loads }: Server): string {
  const first = loads[0]!;
  const last = loads.at(-1)!;
  const largest = last.fractions.indexOf(Math.max(...last.fractions));
  const from = loads.length === 1 ? "" : `${printUs(first.stepUs)} at ${first.name}, `;
  return (
    `${name === "" ? "" : `${name}: `}${from}${printUs(last.stepUs)} at ${last.name}, ` +
    `of which ${components[largest]} ${printFraction(last.fractions[largest])}.`
  );
}

function panel(components: readonly string[], server: Server, mostMs: number): Panel {
  return {
    ...(server.name === "" ? {} : { heading: server.name }),
    label: words(components, server),
    draw: (widthPx) => stepsPlot(components, server, { widthPx, mostMs }),
  };
}

interface StepsFrame {
  readonly widthPx: number;
  /** The tallest bar of all servers: they share a scale. */
  readonly mostMs: number;
}

function stepsPlot(components: readonly string[], { loads }: Server, { widthPx, mostMs }: StepsFrame): PlotOptions {
  const parts = loads.flatMap(({ name, stepUs, fractions }) =>
    fractions.map(
      (fraction, i): Part => ({ load: name, component: components[i] ?? "", ms: (fraction * stepUs) / US_PER_MS }),
    ),
  );
  const names = loads.map(({ name }) => name);
  const tallest = loads.map((load) => ({ ...load, ms: load.stepUs / US_PER_MS }));
  const stride = Math.ceil(
    (names.length * (Math.max(...names.map((name) => name.length)) + 2) * LETTER_PX) / (widthPx - MARGIN_PX),
  );
  return {
    height: HEIGHT_PX,
    marginLeft: 52,
    marginTop: 12,
    x: {
      domain: names,
      label: null,
      padding: 0.15,
      tickSize: 0,
      tickFormat: (name: string, i: number) => (i % stride === 0 ? name : ""),
    },
    y: { label: null, grid: true, ticks: 4, tickFormat: tickMs, domain: [0, mostMs] },
    marks: [
      barY(
        parts,
        stackY({
          x: "load",
          y: "ms",
          fill: ({ component }: Part) => componentColor(components, components.indexOf(component)),
          order: (part: Part) => components.indexOf(part.component),
        }),
      ),
      tip(
        tallest,
        pointerX({
          x: "name",
          y: "ms",
          maxRadius: Number.POSITIVE_INFINITY,
          title: ({ name, stepUs, fractions }: Server["loads"][number]) =>
            [
              `${name}: ${printUs(stepUs)}`,
              ...components.map(
                (component, i) =>
                  `${component} ${printUs((fractions[i] ?? 0) * stepUs)}, ${printFraction(fractions[i])}`,
              ),
            ].join("\n"),
          ...TIP,
        }),
      ),
    ],
    ...PLOT_STYLE,
  };
}
