import { barX, type PlotOptions, pointerY, text, tip } from "@observablehq/plot";
import type { RequestSpan, RequestSpans } from "../../core/analysis/digest/slowestRequests.js";
import { INK, PHASE_COLORS } from "../colors.js";
import { element, section } from "../element.js";
import { figure, type Panel } from "../figure.js";
import { keyOf } from "../key.js";
import { printCount, printMs, tickMs } from "../numbers.js";
import { PLOT_STYLE, TIP } from "../plotStyle.js";
import type { WaterfallSection } from "../reportPage.js";

type Latency = "ttftMs" | "e2eMs";

/** A span in its row. */
interface Bar extends RequestSpan {
  readonly id: string;
}

const ROW_PX = 26;
const PHASE_WORDS = { queue: "waiting", prefill: "prefill", decode: "decode", preempted: "preempted" } as const;

/** What the slowest requests spent their time on. */
export function waterfall({ slowest }: WaterfallSection): HTMLElement {
  const { toFirstToken, toFinish } = slowest;
  if (toFinish.length === 0) {
    return section("slowest", "Slowest requests", element("p", {}, "No request was completed."));
  }
  const phases = [...new Set([...toFirstToken, ...toFinish].flatMap(({ spans }) => spans.map(({ phase }) => phase)))];
  return section(
    "slowest",
    "Slowest requests",
    keyOf(phases.map((phase) => ({ name: PHASE_WORDS[phase], color: PHASE_COLORS[phase] }))),
    figure({
      layout: "halves",
      panels: [panel("Latest first tokens", toFirstToken, "ttftMs"), panel("Longest end to end", toFinish, "e2eMs")],
      caption:
        `From the moment they were sent; a row is labelled by its prompt and output tokens. ` +
        `${words("The latest first token", toFirstToken, "ttftMs")} ${words("The longest request", toFinish, "e2eMs")}`,
      table: {
        columns: [
          "request",
          "sent at",
          "prompt tokens",
          "from cache",
          "output tokens",
          "waiting",
          "TTFT",
          "E2E",
          "preemptions",
        ],
        rows: [...new Map([...toFirstToken, ...toFinish].map((request) => [request.id, request])).values()].map(
          tableRow,
        ),
      },
    }),
  );
}

function tableRow(request: RequestSpans): string[] {
  const { id, arrivalS, numPromptTokens, numCachedTokens, numOutputTokens, ttftMs, e2eMs, numPreemptions } = request;
  return [
    id,
    `${arrivalS.toFixed(2)} s`,
    printCount(numPromptTokens),
    printCount(numCachedTokens),
    printCount(numOutputTokens),
    printMs(phaseMs(request, "queue")),
    printMs(ttftMs),
    printMs(e2eMs),
    String(numPreemptions),
  ];
}

function phaseMs({ spans }: RequestSpans, phase: RequestSpan["phase"]): number {
  return spans.reduce((sum, span) => sum + (span.phase === phase ? span.endMs - span.startMs : 0), 0);
}

function words(what: string, [slowest]: readonly RequestSpans[], latency: Latency): string {
  if (slowest === undefined) return "";
  return `${what} took ${printMs(slowest[latency])}, of which ${printMs(phaseMs(slowest, "queue"))} waiting to start.`;
}

function panel(heading: string, requests: readonly RequestSpans[], latency: Latency): Panel {
  return {
    heading,
    label: words(heading, requests, latency),
    draw: () => waterfallPlot(requests, latency),
  };
}

function waterfallPlot(requests: readonly RequestSpans[], latency: Latency): PlotOptions {
  const untilMs = (request: RequestSpans) => request[latency];
  const bars = requests.flatMap((request) =>
    request.spans
      .filter(({ startMs }) => startMs < untilMs(request))
      .map((span): Bar => ({ ...span, endMs: Math.min(span.endMs, untilMs(request)), id: request.id })),
  );
  const labels = new Map(
    requests.map((request) => [request.id, `${request.numPromptTokens} → ${request.numOutputTokens}`]),
  );
  return {
    height: requests.length * ROW_PX + 40,
    marginLeft: 92,
    marginRight: 62,
    marginTop: 4,
    x: { label: null, tickFormat: tickMs, ticks: 3, grid: true, zero: true },
    y: {
      domain: requests.map(({ id }) => id),
      label: null,
      tickSize: 0,
      padding: 0.3,
      tickFormat: (id: string) => labels.get(id) ?? id,
    },
    marks: [
      barX(bars, { x1: "startMs", x2: "endMs", y: "id", fill: ({ phase }: Bar) => PHASE_COLORS[phase] }),
      text(requests, {
        x: untilMs,
        y: "id",
        text: (request) => printMs(untilMs(request)),
        textAnchor: "start",
        dx: 6,
        fill: INK,
      }),
      tip(requests, pointerY({ x: untilMs, y: "id", maxRadius: Number.POSITIVE_INFINITY, title: tipText, ...TIP })),
    ],
    ...PLOT_STYLE,
  };
}

function tipText(request: RequestSpans): string {
  const { id, arrivalS, numPromptTokens, numCachedTokens, numOutputTokens, numPreemptions } = request;
  const cached = numCachedTokens > 0 ? ` (${printCount(numCachedTokens)} cached)` : "";
  return [
    `${id}, sent at ${arrivalS.toFixed(2)} s`,
    `${printCount(numPromptTokens)}${cached} → ${printCount(numOutputTokens)} tokens`,
    ...(["queue", "prefill", "decode", "preempted"] as const)
      .map((phase) => [PHASE_WORDS[phase], phaseMs(request, phase)] as const)
      .filter(([, ms]) => ms > 0)
      .map(([phase, ms]) => `${phase} ${printMs(ms)}`),
    ...(numPreemptions > 0 ? [`${numPreemptions} preemptions`] : []),
  ].join("\n");
}
