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
