/** A place on a plot that something takes, px from its upper left corner. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Steps that a label may move by, in its own heights: the nearest first. */
const STEPS = [0, -0.75, 0.75, -1.25, 1.25, -1.75, 1.75];

/**
 * Moves labels up or down until they cover nothing; one that finds no room stays where it is.
 * @param taken what stands there already
 * @returns px to move by, downwards > 0: parallel to `labels`
 */
export function labelMoves(labels: readonly Box[], taken: readonly Box[]): number[] {
  const placed = [...taken];
  return labels.map((label) => {
    const moves = STEPS.map((step) => step * label.height);
    const movePx = moves.find((px) => !placed.some((other) => overlap({ ...label, top: label.top + px }, other))) ?? 0;
    placed.push({ ...label, top: label.top + movePx });
    return movePx;
  });
}

function overlap(a: Box, b: Box): boolean {
  const isApart =
    a.left >= b.left + b.width || b.left >= a.left + a.width || a.top >= b.top + b.height || b.top >= a.top + a.height;
  return !isApart;
}
