/** Where prefill counts as dominating, and where decode does: ratio of tokens, and tokens at least. */
const PREFILL_DOMINATES = { ratio: 4, minTokens: 100 };
const DECODE_DOMINATES = { ratio: 2, minTokens: 50 };

/**
 * Weights of the two phases' separate times in a mixed step, as the baselines blend them: 0.75 / 0.25 where prefill
 * dominates, 0.35 / 0.65 where decode does, by tokens in between. They have no source but the model that used them.
 * @see inference-sim `sim/roofline_step_v2.go`, "combine phases"
 * @returns the prefill phase's weight, 0 … 1; the decode phase has the rest
 */
export function prefillWeight(numPrefillTokens: number, numDecodeTokens: number): number {
  if (numDecodeTokens === 0) return 1;
  if (numPrefillTokens === 0) return 0;
  const { ratio, minTokens } = PREFILL_DOMINATES;
  if (numPrefillTokens > ratio * numDecodeTokens && numPrefillTokens > minTokens) return 0.75;
  if (numDecodeTokens > DECODE_DOMINATES.ratio * numPrefillTokens && numDecodeTokens > DECODE_DOMINATES.minTokens) {
    return 0.35;
  }
  return numPrefillTokens / (numPrefillTokens + numDecodeTokens);
}
