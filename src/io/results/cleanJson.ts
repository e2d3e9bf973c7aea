/** Digits kept: more than any input has, fewer than float noise needs. */
const SIGNIFICANT_DIGITS = 12;
const LARGEST_SIGNIFICAND = 10 ** SIGNIFICANT_DIGITS;

/** Powers of ten that a double holds exactly; their index is their exponent. */
const POWERS_OF_TEN = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);

/** So close to a tie of two last digits, the error of a product decides: half of 2⁻⁵³ of `LARGEST_SIGNIFICAND`. */
const TIE_WIDTH = 1e-3;

/**
 * JSON with fractions rounded to 12 significant digits (0.30000000000000004 prints as 0.3) and NaN or an infinity as
 * null. Keys keep their order, so the same value prints the same bytes.
 */
export function cleanJson(value: unknown, indent = 2): string {
  return JSON.stringify(
    value,
    (_key, inner: unknown) => (typeof inner === "number" ? cleanNumber(inner) : inner),
    indent,
  );
}

/** A number without float noise; null when it is none. Integers are exact and stay. */
export function cleanNumber(value: number): number | null {
  if (!Number.isFinite(value)) return null;
  if (Number.isInteger(value)) return value;
  const rounded = roundByProduct(value);
  return Number.isNaN(rounded) ? Number(value.toPrecision(SIGNIFICANT_DIGITS)) : rounded;
}

/**
 * `Number(value.toPrecision(12))` without the text, which takes ten times as long: the significand is an integer, and
 * an integer over an exact power of ten is the double nearest to the decimal.
 * @returns NaN where the product could have rounded the other way, or the power is not exact
 */
function roundByProduct(value: number): number {
  const exponent = SIGNIFICANT_DIGITS - 1 - Math.floor(Math.log10(Math.abs(value)));
  const power = POWERS_OF_TEN[exponent];
  if (power === undefined) return Number.NaN;
  const product = value * power;
  const significand = Math.round(product);
  const magnitude = Math.abs(significand);
  // The logarithm of a number beside a power of ten may be that power's.
  if (magnitude < LARGEST_SIGNIFICAND / 10 || magnitude >= LARGEST_SIGNIFICAND) return Number.NaN;
  if (Math.abs(Math.abs(product - significand) - 0.5) < TIE_WIDTH) return Number.NaN;
  return significand / power;
}
