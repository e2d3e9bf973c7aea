/**
 * The known name that a misspelt one was probably meant to be, or null when none is near.
 * Case does not count; at most a third of the letters may differ.
 */
export function nearestName(name: string, known: Iterable<string>): string | null {
  let nearest: string | null = null;
  let leastEdits = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const edits = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (edits < leastEdits) {
      leastEdits = edits;
      nearest = candidate;
    }
  }
  return nearest;
}

/** Insertions, deletions and replacements that turn one text into the other (Levenshtein). */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const current = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = previous[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, previous[j]! + 1, current[j - 1]! + 1));
    }
    previous = current;
  }
  return previous[to.length]!;
}
