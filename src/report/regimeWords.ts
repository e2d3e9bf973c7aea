import type { Standing } from "../core/analysis/sweep/saturation.js";
import type { RegimeGroup } from "../core/metrics/regimeErrors.js";

/** How far a server was from saturation, in a word or two. */
export const REGIME_WORDS: Readonly<Record<RegimeGroup, string>> = {
  below: "below",
  near: "near",
  past: "past",
  closedLoop: "closed loop",
};

/** A point of a sweep, as its table says it. */
export const STANDING_WORDS: Readonly<Record<Standing, string>> = { ...REGIME_WORDS, tooShort: "too short to tell" };
