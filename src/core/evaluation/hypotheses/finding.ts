import type { Hypothesis } from "../../config/pricingConfig.js";

/** Load points of the measured runs: the lightest of each, and the heaviest where it has two. */
export type Load = "lightest" | "heaviest";

/** What a check looks at. */
export interface CheckedValue {
  /** Read before the value: `TPOT |error| falls by`. */
  readonly what: string;
  /** The same for a negative value, which is then read without its sign; null where none can be. */
  readonly whatBelowZero: string | null;
  /** NaN where the data has nothing to compute it from. */
  readonly value: number;
  /** What `value` is counted in: `points` of percent, `%`, … */
  readonly unit: string;
  /** What was asked, in words that need no other: `≥ 10`, `a fall ≥ 3`. */
  readonly required: string;
  /** Loads of the replayed runs; none for what is looked at inside the simulator. */
  readonly loads: readonly Load[];
}

/** One thing that must hold for a hypothesis to be accepted. */
export interface Check extends CheckedValue {
  /** null = the data cannot say. */
  readonly holds: boolean | null;
}

/** A check of a value, which may be missing. */
export function check(checked: CheckedValue, isGood: (value: number) => boolean): Check {
  return { ...checked, holds: Number.isNaN(checked.value) ? null : isGood(checked.value) };
}

/** What a check found, in words: an error that falls by −1 is said to rise by 1. */
export function checkWords({ what, whatBelowZero, value, unit }: CheckedValue): { what: string; value: string } {
  const isTurned = value < 0 && whatBelowZero !== null;
  const shown = `${(isTurned ? -value : value).toFixed(1)} ${unit}`.trim();
  return { what: isTurned ? whatBelowZero : what, value: shown };
}

/** Where a correction is tried: added alone to roofline-v2, or taken alone from the additive model. */
export type End = "roofline-v2" | "additive";

export type Verdict = "accepted" | "rejected" | "undecidable";

/** What the protocol of one hypothesis gave. */
export interface Finding {
  readonly hypothesis: Hypothesis;
  /** Part A: inside the simulator; empty where the protocol has none. */
  readonly synthetic: readonly Check[];
  /** Part B: on real runs, from both ends. */
  readonly real: Readonly<Record<End, readonly Check[]>>;
  readonly verdict: Verdict;
  /** Why, in a sentence. */
  readonly reason: string;
}

/**
 * Accepted when every check holds, synthetic and from both ends; rejected when a synthetic check fails, or the real runs
 * say no from both ends; undecidable when the two ends contradict each other (then the correction's effect depends on
 * what else the model gets wrong), or the data cannot answer.
 */
export function finding(
  hypothesis: Hypothesis,
  synthetic: readonly Check[],
  real: Readonly<Record<End, readonly Check[]>>,
): Finding {
  return { hypothesis, synthetic, real, ...judge(synthetic, real) };
}

function judge(synthetic: readonly Check[], real: Finding["real"]): Pick<Finding, "verdict" | "reason"> {
  if (answer(synthetic) === false) return { verdict: "rejected", reason: `inside the simulator: ${unmet(synthetic)}` };
  const [v2, full] = [answer(real["roofline-v2"]), answer(real.additive)];
  const [ofV2, ofFull] = [unmet(real["roofline-v2"]), unmet(real.additive)];
  if (v2 === false && full === false) {
    return { verdict: "rejected", reason: `added to roofline-v2: ${ofV2}; taken from additive: ${ofFull}` };
  }
  if (v2 === null || full === null || answer(synthetic) === null) {
    const open = [unmet(synthetic), ofV2, ofFull].filter((text) => text !== "").join("; ");
    return { verdict: "undecidable", reason: `this data cannot say: ${open}` };
  }
  if (v2 && full) return { verdict: "accepted", reason: "every check holds from both ends" };
  const reason = v2
    ? `holds from roofline-v2, not from additive: ${ofFull}`
    : `holds from additive, not from roofline-v2: ${ofV2}`;
  return { verdict: "undecidable", reason };
}

/** No where any check fails, else unknown where any is, else yes. */
function answer(checks: readonly Check[]): boolean | null {
  if (checks.some(({ holds }) => holds === false)) return false;
  return checks.some(({ holds }) => holds === null) ? null : true;
}

function unmet(checks: readonly Check[]): string {
  return checks
    .filter(({ holds }) => holds !== true)
    .map((check) => {
      const { what, value } = checkWords(check);
      return check.holds === null ? `${what} (no such runs)` : `${what} ${value} (asked: ${check.required})`;
    })
    .join(", ");
}
