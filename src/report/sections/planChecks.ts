import { dot, type PlotOptions, pointer, ruleX, ruleY, tip } from "@observablehq/plot";
import type { SloCheck } from "../../core/metrics/sloCheck.js";
import { HAIRLINE, seriesColor } from "../colors.js";
import { section } from "../element.js";
import { figure } from "../figure.js";
import { keyOf } from "../key.js";
import { printFraction, printMs } from "../numbers.js";
import type { PlanChecksSection } from "../planSections.js";
import { PLOT_STYLE, TIP } from "../plotStyle.js";

/** A promise of the SLO, and how much of it a plan uses up. */
interface UsedCheck {
  readonly plan: string;
  readonly check: SloCheck;
  /** 1 = at the limit. */
  readonly usedFraction: number;
  readonly color: string;
}

const ROW_PX = 28;

/** How near each plan comes to the limits of the SLO. */
export function planChecks({ plans }: PlanChecksSection): HTMLElement {
  const names = (plans[0]?.checks ?? []).map(({ name }) => name);
  const used = plans.flatMap(({ name, checks }) =>
    checks.flatMap((check, i): UsedCheck[] => {
      const usedFraction = usedOf(check);
      return usedFraction === null ? [] : [{ plan: name, check, usedFraction, color: seriesColor(i) }];
    }),
  );
  const caption =
    "How much of each limit is used up at the load that each plan is to carry: 100 % is the limit itself" +
    `${names.includes("goodput") ? "; of goodput, the share of requests that may be late" : ""}.`;
  return section(
    "slo",
    "The SLO, plan by plan",
    keyOf(names.map((name, i) => ({ name, color: seriesColor(i) }))),
    figure({
      layout: "stack",
      panels:
        used.length === 0
          ? []
          : [
              {
                label: used.map(({ plan, check }) => `${plan}: ${checkWords(check)}`).join("; "),
                draw: (widthPx) =>
                  checksPlot(
                    plans.map(({ name }) => name),
                    used,
                    widthPx,
                  ),
              },
            ],
      caption,
      table: {
        columns: ["server", ...(plans[0]?.checks ?? []).map(limitWords)],
        rows: plans.map(({ name, checks }) => [
          name,
          ...checks.map((check) => `${printCheck(check, check.value)}${check.isMet ? "" : ", not kept"}`),
        ]),
      },
    }),
  );
}

/** null where there is no value, or no late request is allowed. */
function usedOf({ name, value, limit }: SloCheck): number | null {
  if (value === null) return null;
  if (name !== "goodput") return value / limit;
  return limit < 1 ? (1 - value) / (1 - limit) : null;
}

function printCheck({ name }: SloCheck, value: number | null): string {
  return name === "goodput" ? printFraction(value) : printMs(value);
}

function limitWords(check: SloCheck): string {
  return `${check.name} ${check.name === "goodput" ? "≥" : "≤"} ${printCheck(check, check.limit)}`;
}

function checkWords(check: SloCheck): string {
  return `${limitWords(check)}, got ${printCheck(check, check.value)}`;
}

function checksPlot(plans: readonly string[], used: readonly UsedCheck[], widthPx: number): PlotOptions {
  const most = Math.max(1.05, ...used.map(({ usedFraction }) => usedFraction));
  return {
    height: plans.length * ROW_PX + 46,
    marginLeft: Math.min(220, widthPx * 0.4, 16 + 7 * Math.max(...plans.map((name) => name.length))),
    marginRight: 24,
    marginTop: 4,
    marginBottom: 38,
    x: {
      domain: [0, most],
      label: "of the limit",
      labelAnchor: "center",
      labelArrow: "none",
      ticks: Math.min(6, Math.floor(widthPx / 90)),
      tickFormat: (fraction: number) => `${Math.round(100 * fraction)} %`,
    },
    y: { domain: plans, label: null, tickSize: 0 },
    marks: [
      ruleY(plans, { y: (name: string) => name, stroke: HAIRLINE }),
      ruleX([1], { stroke: "var(--bad)", strokeDasharray: "6 3", strokeWidth: 1.5 }),
      dot(used, { x: "usedFraction", y: "plan", r: 5, fill: ({ color }: UsedCheck) => color, fillOpacity: 0.85 }),
      tip(
        used,
        pointer({
          x: "usedFraction",
          y: "plan",
          maxRadius: Number.POSITIVE_INFINITY,
          title: ({ plan, check }: UsedCheck) => `${plan}\n${checkWords(check)}`,
          ...TIP,
        }),
      ),
    ],
    ...PLOT_STYLE,
  };
}
