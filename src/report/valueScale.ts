import { type LatencyScale, latencyScale } from "./latencyScale.js";
import { printCount, printFraction, printMs } from "./numbers.js";
import type { LoadPlot } from "./sweepSections.js";

type Quantity = LoadPlot["quantity"];

const PRINT: Readonly<Record<Quantity, (value: number | null) => string>> = {
  ms: printMs,
  count: printCount,
  fraction: printFraction,
};

/** A number of a plot as people read it. */
export function printValue(quantity: Quantity, value: number | null): string {
  return PRINT[quantity](value);
}

/** A vertical axis: latencies as they spread, everything else from 0, shares up to 100 %. */
export function valueScale(quantity: Quantity, values: readonly number[], heightPx: number): LatencyScale {
  if (quantity === "ms") {
    const scale = latencyScale(values, heightPx, "y");
    return { ...scale, options: { ...scale.options, label: null, grid: scale.axis.length === 0 } };
  }
  const most = quantity === "fraction" ? 1 : Math.max(...values) || 1;
  return {
    options: {
      domain: [0, most],
      clamp: true,
      grid: true,
      ticks: 5,
      label: null,
      tickFormat: quantity === "fraction" ? tickFraction : tickCount,
    },
    axis: [],
    position: (value) => Math.min(1, Math.max(0, value / most)),
  };
}

/** `0.5`, `20`, `4k`. */
function tickCount(count: number): string {
  return Math.abs(count) >= 1000 ? `${count / 1000}k` : String(count);
}

/** `20 %`. */
function tickFraction(fraction: number): string {
  return `${Math.round(100 * fraction)}\u00a0%`;
}
