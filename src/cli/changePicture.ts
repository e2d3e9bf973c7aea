import type { ChangeTimeline } from "../core/analysis/diff/changeTimeline.js";
import { sparkline } from "./sparkline.js";
import { printMs, printNumber } from "./textTable.js";

/** From here on the half of a change takes so much of the time that it lies everywhere. */
const SPREAD_FRACTION = 1 / 3;

/** Bars have no less height than an eighth: changes of this share of the largest would be drawn too large. */
const LEAST_SHOWN = 0.03;

/** The change of a latency by when requests were sent: one line of bars for slower, one for faster, those that are there. */
export function changePicture(title: string, timeline: ChangeTimeline): string {
  const { startS, binS, meanMs } = timeline;
  const slower = meanMs.map((ms) => (ms === null ? null : Math.max(ms, 0)));
  const faster = meanMs.map((ms) => (ms === null ? null : Math.max(-ms, 0)));
  const most = Math.max(...slower.map(Number), ...faster.map(Number));
  const from = printNumber(startS);
  const to = printNumber(startS + meanMs.length * binS);
  const line = (name: string, values: readonly (number | null)[]) => {
    const peak = Math.max(...values.map(Number));
    return peak < LEAST_SHOWN * most ? "" : `  ${name} |${sparkline(values, most)}| at most ${printMs(peak)}\n`;
  };
  if (most === 0) return `${title} by arrival: no change\n`;
  return `${title} by arrival, ${from} to ${to} s${windowWords(timeline)}\n${line("slower", slower)}${line("faster", faster)}`;
}

function windowWords({ window }: ChangeTimeline): string {
  if (window === null) return ": changes both ways";
  if (window.timeFraction >= SPREAD_FRACTION) return ": the change lies all over the run";
  const { fromS, toS, share, timeFraction } = window;
  const part = printNumber(100 * Math.min(share, 1), 0);
  return `: ${part} % of the change within ${printNumber(fromS)} to ${printNumber(toS)} s, ${printNumber(100 * timeFraction, 0)} % of the time`;
}
