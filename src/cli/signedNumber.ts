import type { Interval } from "../core/metrics/interval.js";
import { printNumber } from "./textTable.js";

/** A change with its sign; printed as 0 it has none. */
export function signed(value: number | null, print: (value: number) => string): string {
  if (value === null) return "–";
  const text = print(Math.abs(value));
  if (!/[1-9]/.test(text)) return text;
  return `${value < 0 ? "−" : "+"}${text}`;
}

/** An error in percent with its sign, in the hyphen of evaluations; printed as 0 it has none. */
export function signedError(percent: number): string {
  const text = printNumber(percent);
  return Number(text) > 0 ? `+${text}` : text;
}

/** `−6.92 to −5.81`. */
export function signedInterval(interval: Interval | null, print: (value: number) => string = printAmount): string {
  return interval === null ? "–" : `${signed(interval.low, print)} to ${signed(interval.high, print)}`;
}

/** Four digits or so: counts and large numbers whole, small ones with the digits that say something. */
export function printAmount(value: number | null): string {
  if (value === null || Number.isInteger(value)) return printNumber(value, 0);
  const size = Math.abs(value);
  return printNumber(value, size >= 1000 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 4);
}
