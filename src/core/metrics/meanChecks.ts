import { FRACTION_SLACK, type SloCheck } from "./sloCheck.js";

/**
 * The mean of each value over repetitions, held against the same limits: what a run as long as all of them would show, but
 * for the little by which a percentile of the whole differs from the mean of the parts'. Where one has no value there is none.
 * @param repetitions at least one; the same SLO in each
 */
export function meanChecks(repetitions: readonly (readonly SloCheck[])[]): SloCheck[] {
  const [first] = repetitions as readonly [readonly SloCheck[]];
  return first.map((check, i) => {
    const values = repetitions.flatMap((checks) => checks[i]?.value ?? []);
    const value = values.length < repetitions.length ? null : values.reduce((sum, x) => sum + x, 0) / values.length;
    return { ...check, value, isMet: value !== null && isKept(check, value) };
  });
}

function isKept({ name, limit }: SloCheck, value: number): boolean {
  return name === "goodput" ? value >= limit - FRACTION_SLACK : value <= limit;
}
