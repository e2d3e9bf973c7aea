import { ConfigError } from "../core/errors/simulationError.js";

/** Loads of one sweep at most: a slip of a key must not ask for days. */
const MAX_RATES = 1000;

/**
 * Loads as a list `1,2,4`, a range `1:10:4` (from, to, how many, evenly spaced and both ends included, as numpy.linspace),
 * or ranges in a list.
 * @returns ascending, each once
 * @throws ConfigError for what is neither
 */
export function parseRates(text: string): number[] {
  const rates = text.split(",").flatMap((part) => ratesOf(part.trim(), text));
  if (rates.length > MAX_RATES) throw refusal(text, `must be ${MAX_RATES} rates at most`);
  return [...new Set(rates)].sort((a, b) => a - b);
}

function ratesOf(part: string, text: string): number[] {
  const numbers = part.split(":").map((word) => (word.trim() === "" ? Number.NaN : Number(word)));
  const [from, to, count] = numbers as [number, number?, number?];
  const isPositive = numbers.every((number) => Number.isFinite(number) && number > 0);
  if (!isPositive || ![1, 3].includes(numbers.length)) {
    throw refusal(text, "must be a list such as 1,2,4 or a range from:to:count such as 1:10:4, of numbers above 0");
  }
  if (to === undefined || count === undefined) return [from];
  if (!Number.isInteger(count) || count < 2 || count > MAX_RATES || to <= from) {
    throw refusal(text, `a range is from:to:count with to above from and a count of 2 to ${MAX_RATES}`);
  }
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? to : from + (i * (to - from)) / (count - 1)));
}

function refusal(text: string, allowed: string): ConfigError {
  return new ConfigError([{ path: "--rate", received: JSON.stringify(text), allowed }]);
}
