import { axisX, dot, gridX, line, type Markish, type PlotOptions, pointer, text, tip } from "@observablehq/plot";
import { INK, MUTED, seriesColor } from "../colors.js";
import { section } from "../element.js";
import { figure } from "../figure.js";
import { keyOf } from "../key.js";
import { labelPlaces } from "../labelPlaces.js";
import { logTicks } from "../logTicks.js";
import { printUsd, tickUsd } from "../money.js";
import { printMs } from "../numbers.js";
import type { PlanCostsSection } from "../planSections.js";
import { HALO, PLOT_STYLE, TIP } from "../plotStyle.js";
import { valueScale } from "../valueScale.js";

type Plan = PlanCostsSection["plans"][number] & { readonly e2eMeanMs: number };

const HEIGHT_PX = 380;
const MARGIN = { top: 20, bottom: 40, left: 56, right: 24 } as const;
const INSET_PX = 8;
const LABEL_GAP_PX = 15;
const TICK_PX = 56;
const FRONT = seriesColor(2);

/** Cost against end-to-end latency. Down and to the left is better; the front is what nothing beats in both. */
export function planCosts({ per, plans: given }: PlanCostsSection): HTMLElement {
  const plans = given.filter((plan): plan is Plan => plan.e2eMeanMs !== null).sort((a, b) => a.usd - b.usd);
  const front = plans.filter(({ isPareto }) => isPareto);
  const names = front.map(({ name, usd, e2eMeanMs }) => `${name} (${printUsd(usd)}, ${printMs(e2eMeanMs)})`);
  const caption =
    `Cost per ${per} against mean end-to-end latency, at the load that each is to carry. ${front.length} of ` +
    `${plans.length} are beaten by none in both: ${names.join(", ")}.`;
  return section(
    "costs",
    "What it costs, and how fast it is",
    keyOf([
      { name: "nothing is cheaper and faster", color: FRONT, mark: "full" },
      { name: "something is", color: MUTED, mark: "hollow" },
    ]),
    figure({
      layout: "stack",
      panels: plans.length === 0 ? [] : [{ label: caption, draw: (widthPx) => costsPlot(plans, front, per, widthPx) }],
      caption,
      table: {
        columns: ["server", `$ per ${per}`, "E2E mean", "TTFT p99", "unbeaten"],
        rows: plans.map(({ name, usd, e2eMeanMs, ttftP99Ms, isPareto }) => [
          name,
          printUsd(usd),
          printMs(e2eMeanMs),
          printMs(ttftP99Ms),
          isPareto ? "yes" : "",
        ]),
      },
    }),
  );
}

function costsPlot(
  plans: readonly Plan[],
  front: readonly Plan[],
  per: PlanCostsSection["per"],
  widthPx: number,
): PlotOptions {
  const costs = plans.map(({ usd }) => usd);
  const domain: [number, number] = [Math.min(...costs) / 1.15, Math.max(...costs) * 1.15];
  const heightPx = HEIGHT_PX - MARGIN.top - MARGIN.bottom - 2 * INSET_PX;
  const ticks = logTicks(domain, Math.floor(widthPx / TICK_PX));
  const y = valueScale(
    "ms",
    plans.map(({ e2eMeanMs }) => e2eMeanMs),
    heightPx,
  );
  const label = { label: `per ${per}`, labelAnchor: "center", labelArrow: "none" } as const;
  return {
    height: HEIGHT_PX,
    marginTop: MARGIN.top,
    marginBottom: MARGIN.bottom,
    marginLeft: MARGIN.left,
    marginRight: MARGIN.right,
    x: { type: "log", domain },
    y: { ...y.options, label: "mean E2E", inset: INSET_PX },
    marks: [
      gridX(ticks),
      axisX(ticks, { text: tickUsd, ...label }),
      ...y.axis,
      line(front, { x: "usd", y: "e2eMeanMs", stroke: FRONT, strokeWidth: 1.5, curve: "step-after" }),
      dot(plans, {
        x: "usd",
        y: "e2eMeanMs",
        r: 4.5,
        strokeWidth: 1.75,
        stroke: ({ isPareto }: Plan) => (isPareto ? FRONT : MUTED),
        fill: ({ isPareto }: Plan) => (isPareto ? FRONT : "var(--page)"),
      }),
      ...nameMarks(plans, { widthPx, heightPx, positionX: logPosition(domain), positionY: y.position }),
      tip(
        plans,
        pointer({
          x: "usd",
          y: "e2eMeanMs",
          maxRadius: 80,
          title: ({ name, usd, e2eMeanMs, ttftP99Ms }: Plan) =>
            `${name}\n${printUsd(usd)} per ${per}\nE2E mean ${printMs(e2eMeanMs)}\nTTFT p99 ${printMs(ttftP99Ms)}`,
          ...TIP,
        }),
      ),
    ],
    ...PLOT_STYLE,
  };
}

function logPosition([least, most]: readonly [number, number]): (usd: number) => number {
  return (usd) => Math.log(usd / least) / Math.log(most / least);
}

interface Frame {
  readonly widthPx: number;
  readonly heightPx: number;
  /** 0 = left, 1 = right. */
  readonly positionX: (usd: number) => number;
  /** 0 = bottom, 1 = top. */
  readonly positionY: (ms: number) => number;
}

/**
 * Names beside their dots, on the side where there is more room; apart from each other on each side. On a narrow screen
 * only those of the front, which are the ones to choose from.
 */
function nameMarks(plans: readonly Plan[], { widthPx, heightPx, positionX, positionY }: Frame): Markish[] {
  const named = plans.filter(({ isPareto }) => isPareto || widthPx >= NARROW_PX);
  return [true, false].flatMap((isLeft) => {
    const own = named.filter(({ usd }) => positionX(usd) > RIGHT_PART === isLeft);
    const wantedPx = own.map(({ e2eMeanMs }) => heightPx * (1 - positionY(e2eMeanMs)));
    const placesPx = labelPlaces(wantedPx, LABEL_GAP_PX, 0, heightPx);
    return own.map((plan, i) =>
      text([plan], {
        x: "usd",
        y: "e2eMeanMs",
        text: "name",
        textAnchor: isLeft ? "end" : "start",
        dx: isLeft ? -9 : 9,
        dy: placesPx[i]! - wantedPx[i]!,
        fill: plan.isPareto ? INK : MUTED,
        fontWeight: plan.isPareto ? 600 : 400,
        ...HALO,
      }),
    );
  });
}

const NARROW_PX = 560;
const RIGHT_PART = 0.7;
