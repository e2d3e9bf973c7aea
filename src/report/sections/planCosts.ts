import { axisX, dot, gridX, line, type Markish, type PlotOptions, pointer, text, tip } from "@observablehq/plot";
import { INK, MUTED, seriesColor } from "../colors.js";
import { section } from "../element.js";
import { figure } from "../figure.js";
import { keyOf } from "../key.js";
import { type Box, labelMoves } from "../labelBoxes.js";
import { logTicks } from "../logTicks.js";
import { printUsd, tickUsd } from "../money.js";
import { printMs } from "../numbers.js";
import type { PlanCostsSection } from "../planSections.js";
import { HALO, LETTER_PX, PLOT_STYLE, TIP } from "../plotStyle.js";
import { valueScale } from "../valueScale.js";

type Plan = PlanCostsSection["plans"][number] & { readonly e2eMeanMs: number };

const HEIGHT_PX = 380;
const MARGIN = { top: 20, bottom: 40, left: 56, right: 24 } as const;
const INSET_PX = 8;
const LABEL_PX = 14;
const DOT_PX = 4.5;
const TICK_PX = 56;
const TITLE_DY = -14;
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
  const plotPx = widthPx - MARGIN.left - MARGIN.right;
  const costs = plans.map(({ usd }) => usd);
  const domain = costDomain(costs, plotPx, Math.max(...front.map(({ name }) => name.length)) * LETTER_PX + 12);
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
    y: { ...y.options, label: null, inset: INSET_PX },
    marks: [
      // As a mark, since the ticks of a logarithmic axis come without a title.
      text(["mean E2E"], { frameAnchor: "top-left", textAnchor: "start", dx: -MARGIN.left, dy: TITLE_DY, fill: MUTED }),
      gridX(ticks),
      axisX(ticks, { text: tickUsd, ...label }),
      ...y.axis,
      line(front, { x: "usd", y: "e2eMeanMs", stroke: FRONT, strokeWidth: 1.5, curve: "step-after" }),
      ...nameMarks(plans, { widthPx, heightPx, positionX: logPosition(domain), positionY: y.position }),
      dot(plans, {
        x: "usd",
        y: "e2eMeanMs",
        r: DOT_PX,
        strokeWidth: 1.75,
        stroke: ({ isPareto }: Plan) => (isPareto ? FRONT : MUTED),
        fill: ({ isPareto }: Plan) => (isPareto ? FRONT : "var(--page)"),
      }),
      tip(
        plans,
        pointer({
          x: "usd",
          y: "e2eMeanMs",
          maxRadius: Number.POSITIVE_INFINITY,
          title: ({ name, usd, e2eMeanMs, ttftP99Ms }: Plan) =>
            `${name}\n${printUsd(usd)} per ${per}\nE2E mean ${printMs(e2eMeanMs)}\nTTFT p99 ${printMs(ttftP99Ms)}`,
          ...TIP,
        }),
      ),
    ],
    ...PLOT_STYLE,
  };
}

/** From the least to the greatest cost, with room for a label on the left. */
function costDomain(costs: readonly number[], plotPx: number, labelPx: number): [number, number] {
  const [least, most] = [Math.min(...costs), Math.max(...costs) * SPARE_RATIO];
  const share = Math.min(0.5, labelPx / plotPx);
  return [least * (least / most) ** (share / (1 - share)), most];
}

/** Room on the right, as a ratio of costs. */
const SPARE_RATIO = 1.15;

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
 * Names of the front stand below and to the left of their dots, where by definition there is none; the others beside
 * theirs, apart from each other.
 */
function nameMarks(plans: readonly Plan[], frame: Frame): Markish[] {
  const front = plans.filter(({ isPareto }) => isPareto);
  const others = plans.filter(({ isPareto }) => !isPareto);
  const frontBoxes = front.map((plan) => labelBox(plan, frame, true, FRONT_LABEL));
  const boxes = others.map((plan) => labelBox(plan, frame, isNearRight(plan, frame), SIDE_LABEL));
  const movesPx = labelMoves(boxes, [...plans.map((plan) => dotBox(plan, frame)), ...frontBoxes]);
  return [
    ...others.map((plan, i) => {
      const isLeft = isNearRight(plan, frame);
      const dx = isLeft ? -SIDE_LABEL.dx : SIDE_LABEL.dx;
      return text([plan], { ...PLACE, textAnchor: isLeft ? "end" : "start", dx, dy: movesPx[i]!, fill: MUTED });
    }),
    text(front, { ...PLACE, textAnchor: "end", dx: -FRONT_LABEL.dx, dy: FRONT_LABEL.dy, fill: INK, fontWeight: 600 }),
  ];
}

/** There a label has no room on the right. */
function isNearRight({ usd }: Plan, { positionX }: Frame): boolean {
  return positionX(usd) > RIGHT_PART;
}

/** How far a label stands from its dot. */
const FRONT_LABEL = { dx: 7, dy: 9 } as const;
const SIDE_LABEL = { dx: 9, dy: 0 } as const;

function labelBox(plan: Plan, frame: Frame, isLeft: boolean, { dx, dy }: { dx: number; dy: number }): Box {
  const { left, top } = centre(plan, frame);
  const width = plan.name.length * LETTER_PX;
  return { left: isLeft ? left - dx - width : left + dx, top: top + dy - LABEL_PX / 2, width, height: LABEL_PX };
}

function dotBox(plan: Plan, frame: Frame): Box {
  const { left, top } = centre(plan, frame);
  return { left: left - DOT_PX, top: top - DOT_PX, width: 2 * DOT_PX, height: 2 * DOT_PX };
}

function centre({ usd, e2eMeanMs }: Plan, { widthPx, heightPx, positionX, positionY }: Frame) {
  return {
    left: positionX(usd) * (widthPx - MARGIN.left - MARGIN.right),
    top: heightPx * (1 - positionY(e2eMeanMs)),
  };
}

const PLACE = { x: "usd", y: "e2eMeanMs", text: "name", ...HALO } as const;
const RIGHT_PART = 0.7;
