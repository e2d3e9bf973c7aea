/** Numbers as people read them: three significant digits, and a unit that stays on their line. */

const MISSING = "–";
/** No line ends between a number and its unit. */
const SPACE = "\u00a0";

/** A latency: `0.42 ms`, `143 ms`, `1.43 s`. */
export function printMs(ms: number | null | undefined): string {
  if (!isNumber(ms)) return MISSING;
  return Math.abs(ms) >= 999.5 ? `${threeDigits(ms / 1000)}${SPACE}s` : `${threeDigits(ms)}${SPACE}ms`;
}

/** A time given in µs. */
export function printUs(us: number | null | undefined): string {
  if (!isNumber(us)) return MISSING;
  return Math.abs(us) >= 999.5 ? printMs(us / 1000) : `${threeDigits(us)}${SPACE}µs`;
}

/** A share: `3.4 %`, `41 %`. */
export function printFraction(fraction: number | null | undefined): string {
  return isNumber(fraction) ? printPercent(100 * fraction) : MISSING;
}

/** Percent: one decimal below 10, none above. */
export function printPercent(percent: number | null | undefined): string {
  if (!isNumber(percent)) return MISSING;
  return `${percent.toFixed(Math.abs(percent) < 9.95 ? 1 : 0)}${SPACE}%`;
}

/** A change with its sign: `+3.4 %`, `−12 %`, `0 %` where it is less than can be read. */
export function printChange(fraction: number | null | undefined): string {
  if (!isNumber(fraction)) return MISSING;
  if (Math.abs(fraction) < 0.0005) return `0${SPACE}%`;
  return `${fraction > 0 ? "+" : "−"}${printFraction(Math.abs(fraction))}`;
}

/** A count or a rate: `0.42`, `143`, `12,300`. */
export function printCount(count: number | null | undefined): string {
  if (!isNumber(count)) return MISSING;
  return Number.isInteger(count) ? withCommas(String(count)) : threeDigits(count);
}

/** A text in which no line ends between a number and its unit. */
export function withUnitsKept(text: string): string {
  return text.replace(/(\d) (?=(?:%|ms|s|µs)(?!\w))/g, `$1${SPACE}`);
}

/** A latency as an axis shows it: `0`, `10 ms`, `2 s`. */
export function tickMs(ms: number): string {
  if (ms === 0) return "0";
  return ms >= 1000 ? `${trimmed(ms / 1000)}${SPACE}s` : `${trimmed(ms)}${SPACE}ms`;
}

/** How simulated time is shown: unit, and seconds in one. */
export interface TimeUnit {
  readonly name: string;
  readonly seconds: number;
}

/** The unit in which a span has one to three digits. */
export function timeUnit(spanS: number): TimeUnit {
  if (spanS < 600) return { name: "s", seconds: 1 };
  return spanS < 36_000 ? { name: "min", seconds: 60 } : { name: "h", seconds: 3600 };
}

/** At least three significant digits. */
function threeDigits(value: number): string {
  const size = Math.abs(value);
  if (size >= 99.95 || size === 0) return withCommas(value.toFixed(0));
  return value.toFixed(size >= 9.995 ? 1 : size >= 0.1 ? 2 : 3);
}

function trimmed(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function withCommas(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

function isNumber(value: number | null | undefined): value is number {
  return value !== null && value !== undefined && Number.isFinite(value);
}
