/** Digits kept: more than any input has, fewer than float noise needs. */
const SIGNIFICANT_DIGITS = 12;

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
  return Number.isInteger(value) ? value : Number(value.toPrecision(SIGNIFICANT_DIGITS));
}
