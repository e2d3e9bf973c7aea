/**
 * Whether each point is on the Pareto front: no other is as good in everything and better in something.
 * @param points `[numPoints][numObjectives]`, smaller is better; a point with NaN is never on it
 */
export function paretoFront(points: readonly (readonly number[])[]): boolean[] {
  return points.map((point) => !point.some(Number.isNaN) && !points.some((other) => dominates(other, point)));
}

function dominates(a: readonly number[], b: readonly number[]): boolean {
  return a.every((value, i) => value <= b[i]!) && a.some((value, i) => value < b[i]!);
}
