import type { SpanPhase } from "../core/analysis/digest/slowestRequests.js";
import type { Bound } from "../core/analysis/stepLog.js";

/**
 * One colour per thing, wherever it is drawn; page.css holds them for light and dark. What the prefill does shows in TTFT
 * and what the decodes do shows in ITL, so they share a colour.
 */
export const LATENCY_COLORS = {
  ttftMs: "var(--ttft)",
  itlMs: "var(--itl)",
  e2eMs: "var(--e2e)",
  queueMs: "var(--queue)",
} as const;

export const PHASE_COLORS: Readonly<Record<SpanPhase, string>> = {
  queue: "var(--queue)",
  prefill: "var(--ttft)",
  decode: "var(--itl)",
  preempted: "var(--bad)",
};

export const BOUND_COLORS: Readonly<Record<Bound, string>> = {
  memory: "var(--memory)",
  compute: "var(--compute)",
  network: "var(--network)",
  launch: "var(--launch)",
  wait: "var(--gap)",
};

export const INK = "var(--ink)";
export const MUTED = "var(--muted)";
export const HAIRLINE = "var(--hairline)";

/**
 * Of servers beside each other, and of the components of a step: the page's colours in an order in which neighbours
 * differ, on pages where nothing else has a colour.
 */
export const SERIES_COLORS = [
  "var(--ttft)",
  "var(--itl)",
  "var(--memory)",
  "var(--compute)",
  "var(--e2e)",
  "var(--network)",
  "var(--bad)",
  "var(--launch)",
] as const;

export function seriesColor(index: number): string {
  return SERIES_COLORS[index % SERIES_COLORS.length]!;
}

/** Between pale and full by how far a load is up the list: the same in light and dark. @param position 0–1 */
export function rampColor(color: string, position: number): string {
  return `color-mix(in oklab, ${color} ${Math.round(100 * (LEAST_SHADE + (1 - LEAST_SHADE) * position))}%, var(--page))`;
}

/** So much of the colour the palest has, lest it fade into the page. */
const LEAST_SHADE = 0.4;
