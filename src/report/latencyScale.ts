import { axisX, axisY, gridY, type Markish, type ScaleOptions } from "@observablehq/plot";
import { logTicks } from "./logTicks.js";
import { tickMs } from "./numbers.js";

/** An axis of latencies. */
export interface LatencyScale {
  readonly options: ScaleOptions;
  /** Its ticks, where the library would leave some without a label. */
  readonly axis: readonly Markish[];
  /** Where a latency lies on it: 0 = left or lower end, 1 = right or upper end. */
  readonly position: (ms: number) => number;
}

/** Where a logarithmic axis begins below which there are only zeros. */
const LEAST_SHARE = 1e-4;
/** Values that lie closer together than this are shown on a linear axis: it has more round numbers there. */
const LOG_RATIO = 3;
/** An axis spans at least this share of its greatest value, lest next to nothing looks like a difference. */
const LEAST_SPAN = 0.2;
/** Room for the label of a tick. */
const TICK_PX = { x: 62, y: 28 } as const;

/**
 * Logarithmic where the values spread, linear where they do not or all are 0.
 * @param lengthPx of the axis
 */
export function latencyScale(valuesMs: readonly number[], lengthPx: number, axis: "x" | "y" = "x"): LatencyScale {
  const most = Math.max(...valuesMs);
  const maxTicks = Math.max(2, Math.floor(lengthPx / TICK_PX[axis]));
  if (!(most > 0)) return linear(0, 1, 1);
  const least = Math.max(Math.min(...valuesMs), most * LEAST_SHARE);
  if (most < least * LOG_RATIO) {
    const spareMs = Math.max((most - least) * 0.05, (most * LEAST_SPAN - (most - least)) / 2);
    return linear(least - spareMs, most + spareMs, maxTicks);
  }
  const ticks = logTicks([least, most], maxTicks);
  return {
    options: { type: "log", domain: [least, most], clamp: true },
    // Given as a format, it would be asked for some of the ticks only: of a logarithmic axis the library drops labels.
    axis:
      axis === "x"
        ? [axisX(ticks, { text: tickMs, label: null })]
        : [gridY(ticks), axisY(ticks, { text: tickMs, label: null })],
    position: (ms) => Math.log(Math.max(ms, least) / least) / Math.log(most / least),
  };
}

function linear(leastMs: number, mostMs: number, ticks: number): LatencyScale {
  return {
    options: { domain: [leastMs, mostMs], tickFormat: tickMs, ticks: Math.min(ticks, 5) },
    axis: [],
    position: (ms) => (ms - leastMs) / (mostMs - leastMs),
  };
}
