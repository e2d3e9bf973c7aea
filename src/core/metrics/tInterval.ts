import type { Interval } from "./interval.js";

/** Share of repetitions whose t-interval holds the true mean, where the values are about normal. */
export const T_INTERVAL_LEVEL = 0.95;

/** 97.5 % point of the standard normal distribution. */
const NORMAL_975 = 1.959963984540054;

/**
 * 97.5 % points of Student's t distribution for 1, 2, … degrees of freedom; beyond them the expansion below is as exact.
 * @see NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, with the digits of the exact quantiles
 */
const T_975 = [
  12.7062047, 4.3026527, 3.1824463, 2.7764451, 2.5705818, 2.4469119, 2.3646243, 2.3060041, 2.2621572, 2.2281389,
] as const;

/**
 * The 97.5 % point of Student's t distribution, to five digits.
 * @param degreesOfFreedom integer ≥ 1
 * @see Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5: the Cornish-Fisher expansion about the normal
 */
export function studentT975(degreesOfFreedom: number): number {
  const listed = T_975[degreesOfFreedom - 1];
  if (listed !== undefined) return listed;
  const n = degreesOfFreedom;
  const z = NORMAL_975;
  const first = (z ** 3 + z) / 4;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  const fourth = (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92_160;
  return z + first / n + second / n ** 2 + third / n ** 3 + fourth / n ** 4;
}

/**
 * Student's 95 % interval of the mean of independent repetitions: mean ± t·s/√n.
 * @param values one of each repetition; null where one has no such value
 * @returns null with fewer than two values, which say nothing of their spread
 */
export function tInterval(values: readonly (number | null)[]): Interval | null {
  const known = values.filter((value) => value !== null);
  const count = known.length;
  if (count < 2) return null;
  const mean = known.reduce((sum, value) => sum + value, 0) / count;
  const squares = known.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const half = studentT975(count - 1) * Math.sqrt(squares / (count - 1) / count);
  return { low: mean - half, high: mean + half };
}
