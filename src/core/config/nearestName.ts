import { distance } from "fastest-levenshtein";

/** Beyond this share of changed characters a suggestion would be noise. */
const LARGEST_EDIT_FRACTION = 0.4;

/**
 * The candidate a user most probably meant, by edit distance without regard to case; swapped letters count as one
 * edit, ties go to the first.
 * @returns null when nothing is near
 */
export function nearestName(text: string, candidates: readonly string[]): string | null {
  const wanted = text.toLowerCase();
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const edits = editDistance(wanted, candidate.toLowerCase());
    if (edits < bestDistance) {
      best = candidate;
      bestDistance = edits;
    }
  }
  if (best === null || bestDistance > LARGEST_EDIT_FRACTION * Math.max(best.length, wanted.length)) return null;
  return best;
}

function editDistance(a: string, b: string): number {
  if (a !== b && a.length === b.length && letters(a) === letters(b)) return 1;
  return distance(a, b);
}

function letters(text: string): string {
  return [...text].sort().join("");
}
