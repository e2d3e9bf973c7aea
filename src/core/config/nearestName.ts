import { distance } from "fastest-levenshtein";

/** Beyond this share of changed characters a suggestion would be noise. */
const LARGEST_EDIT_FRACTION = 0.4;

/**
 * The candidate a user most probably meant, by edit distance without regard to case; ties go to the first.
 * @returns null when nothing is near
 */
export function nearestName(text: string, candidates: readonly string[]): string | null {
  const wanted = text.toLowerCase();
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const edits = distance(wanted, candidate.toLowerCase());
    if (edits < bestDistance) {
      best = candidate;
      bestDistance = edits;
    }
  }
  if (best === null || bestDistance > LARGEST_EDIT_FRACTION * Math.max(best.length, wanted.length)) return null;
  return best;
}
