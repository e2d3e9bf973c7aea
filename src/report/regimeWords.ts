import type { RegimeGroup } from "../core/metrics/regimeErrors.js";

/** How far a server was from saturation, in a word or two. */
export const REGIME_WORDS: Readonly<Record<RegimeGroup, string>> = {
  below: "below",
  near: "near",
  past: "past",
  closedLoop: "closed loop",
};
