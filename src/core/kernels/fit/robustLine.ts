import { median } from "./median.js";

/** A point that a line is laid through. */
export interface Point {
  /** > 0. */
  readonly x: number;
  readonly y: number;
}

/** y = intercept + slope · x. */
export interface Line {
  readonly slope: number;
  readonly intercept: number;
}

/** Points nearer to each other than this, as a ratio of their x, say more about noise than about the slope. */
const LEAST_RATIO = 2;

/**
 * Lays a line through points of which up to a quarter may be far off (Theil–Sen): points of equal x become their median,
 * the slope is the median over all pairs at least a factor of two apart. O(n²) in the number of different x.
 *
 * @returns null when no two points are that far apart
 * @see Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 1968
 */
export function robustLine(points: readonly Point[]): Line | null {
  const merged = mergeEqualX(points);
  const slopes: number[] = [];
  for (let i = 0; i < merged.length; i += 1) {
    const a = merged[i]!;
    for (let j = i + 1; j < merged.length; j += 1) {
      const b = merged[j]!;
      if (b.x >= LEAST_RATIO * a.x) slopes.push((b.y - a.y) / (b.x - a.x));
    }
  }
  if (slopes.length === 0) return null;
  const slope = median(slopes);
  return { slope, intercept: median(merged.map(({ x, y }) => y - slope * x)) };
}

/** Points of different x, ascending. */
function mergeEqualX(points: readonly Point[]): Point[] {
  const byX = new Map<number, number[]>();
  for (const { x, y } of points) {
    const ys = byX.get(x);
    if (ys === undefined) byX.set(x, [y]);
    else ys.push(y);
  }
  return [...byX].sort(([a], [b]) => a - b).map(([x, ys]) => ({ x, y: median(ys) }));
}
