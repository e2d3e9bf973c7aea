import { barX, dot, type PlotOptions, pointerY, ruleY, text, tip } from "@observablehq/plot";
import { INK, seriesColor } from "../colors.js";
import { section } from "../element.js";
import { figure } from "../figure.js";
import { printLoad } from "../loads.js";
import type { PlanRatesSection } from "../planSections.js";
import { HALO, PLOT_STYLE, TIP } from "../plotStyle.js";

type Plan = PlanRatesSection["plans"][number];

const ROW_PX = 28;

/** A bar for each server: the rate that it carries, the interval of the seeds, and the seeds themselves. */
export function planRates({ plans, legend, rateUnit }: PlanRatesSection): HTMLElement {
  const sorted = [...plans].sort((a, b) => b.highestRatePerS - a.highestRatePerS);
  const most = sorted[0]!;
  const caption =
    `The most that one replica carries within the SLO, to 2 %: ${most.name} ${printLoad(most.highestRatePerS)} ${rateUnit}/s. ` +
    `Dots are seeds alone, the line is their interval. ${legend}`;
  return section(
    "rates",
    "What one replica carries",
    figure({
      layout: "stack",
      panels: [
        {
          label: sorted
            .map(({ name, highestRatePerS }) => `${name}: ${printLoad(highestRatePerS)} ${rateUnit}/s`)
            .join(", "),
          draw: (widthPx) => ratesPlot(sorted, rateUnit, widthPx),
        },
      ],
      caption,
      table: {
        columns: ["server", `${rateUnit}/s`, "interval of the seeds", "seeds", "per GPU", "broken above by"],
        rows: sorted.map((plan) => [
          plan.name,
          printLoad(plan.highestRatePerS),
          intervalWords(plan),
          plan.ratesOfSeedsPerS.map(printLoad).join(", "),
          printLoad(plan.highestRatePerS / plan.gpusPerReplica),
          plan.brokenAbove.join(", "),
        ]),
      },
    }),
  );
}

/** `9.23 to 9.6, lowered`: the legend says what lowered is. */
export function intervalWords({
  rateInterval,
  loweredFromPerS,
}: Pick<Plan, "rateInterval" | "loweredFromPerS">): string {
  const interval = rateInterval === null ? "–" : `${printLoad(rateInterval.low)} to ${printLoad(rateInterval.high)}`;
  return loweredFromPerS === null ? interval : `${interval}, lowered`;
}

function ratesPlot(plans: readonly Plan[], rateUnit: PlanRatesSection["rateUnit"], widthPx: number): PlotOptions {
  const spans = plans.flatMap(({ name, rateInterval }) =>
    rateInterval === null ? [] : [{ name, low: rateInterval.low, high: rateInterval.high }],
  );
  const seeds = plans.flatMap(({ name, ratesOfSeedsPerS }) => ratesOfSeedsPerS.map((ratePerS) => ({ name, ratePerS })));
  const ends = new Map(
    plans.map(({ name, highestRatePerS, ratesOfSeedsPerS, rateInterval }) => [
      name,
      Math.max(highestRatePerS, rateInterval?.high ?? 0, ...ratesOfSeedsPerS),
    ]),
  );
  return {
    height: plans.length * ROW_PX + 46,
    marginLeft: Math.min(220, widthPx * 0.4, 16 + 7 * Math.max(...plans.map(({ name }) => name.length))),
    marginRight: 56,
    marginTop: 4,
    marginBottom: 38,
    x: {
      label: `${rateUnit}/s`,
      labelAnchor: "center",
      labelArrow: "none",
      grid: true,
      ticks: Math.min(8, widthPx / 90),
      zero: true,
    },
    y: { domain: plans.map(({ name }) => name), label: null, tickSize: 0, padding: 0.3 },
    marks: [
      barX(plans, { x: "highestRatePerS", y: "name", fill: seriesColor(0), fillOpacity: 0.85 }),
      ruleY(spans, { x1: "low", x2: "high", y: "name", stroke: INK, strokeWidth: 1.5 }),
      dot(seeds, { x: "ratePerS", y: "name", r: 2.5, fill: "var(--page)", stroke: INK }),
      text(plans, {
        x: ({ name }: Plan) => ends.get(name),
        y: "name",
        text: ({ highestRatePerS }: Plan) => printLoad(highestRatePerS),
        textAnchor: "start",
        dx: 8,
        fill: INK,
        fontWeight: 600,
        ...HALO,
      }),
      tip(
        plans,
        pointerY({
          x: "highestRatePerS",
          y: "name",
          maxRadius: Number.POSITIVE_INFINITY,
          title: (plan: Plan) =>
            [
              `${plan.name}: ${printLoad(plan.highestRatePerS)} ${rateUnit}/s`,
              `interval of the seeds ${intervalWords(plan)}`,
              ...(plan.brokenAbove.length === 0 ? [] : [`broken above by ${plan.brokenAbove.join(", ")}`]),
            ].join("\n"),
          ...TIP,
        }),
      ),
    ],
    ...PLOT_STYLE,
  };
}
