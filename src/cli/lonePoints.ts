import type { PointName } from "../core/analysis/diff/sweepDiff.js";

/** Points that are named one by one. */
const MAX_NAMED = 2;
/** Values of an axis that are listed; of more, the first ones. */
const MAX_LISTED = 4;

/** The points that one side of a comparison has alone, in a line: one by one, or by what they span. */
export function lonePointsLine(side: "A" | "B", points: readonly PointName[]): string {
  if (points.length === 0) return "";
  if (points.length <= MAX_NAMED) return `only ${side} measured ${points.map(({ label }) => label).join(" and ")}\n`;
  const paths = [...new Set(points.flatMap(({ varied }) => Object.keys(varied)))];
  const axes = paths.map((path) => `${path} ${listed(points.map(({ varied }) => varied[path]))}`);
  return `only ${side} measured ${points.length} points: ${[...axes, ...loads(points)].join("; ")}\n`;
}

/** `poisson 5, 10, 20/s`, by arrival profile. */
function loads(points: readonly PointName[]): string[] {
  const strategies = [...new Set(points.map(({ strategy }) => strategy))];
  return strategies.map((strategy) => {
    const own = points.filter((point) => point.strategy === strategy);
    if (own.every(({ rate, streams }) => rate === null && streams === null)) return strategy;
    const isRate = own.every(({ rate }) => rate !== null);
    const values = own.map(({ rate, streams }) => Number((rate ?? streams ?? 0).toPrecision(4)));
    return `${strategy} ${listed(values)}${isRate ? "/s" : ""}`;
  });
}

/** Each value once; numbers that are many by their ends. */
function listed(values: readonly unknown[]): string {
  const distinct = [...new Set(values.map((value) => (typeof value === "string" ? value : JSON.stringify(value))))];
  if (distinct.length <= MAX_LISTED) return distinct.join(", ");
  const numbers = values.filter((value) => typeof value === "number");
  if (numbers.length === values.length) return `${Math.min(...numbers)} to ${Math.max(...numbers)}`;
  return `${distinct.slice(0, MAX_LISTED).join(", ")} and ${distinct.length - MAX_LISTED} more`;
}
