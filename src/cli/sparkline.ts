const BARS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;
const NO_BAR = " ";

/**
 * Numbers as one line of bars: the tallest bar is `most` or more, anything above 0 has a bar, 0 and null stay blank.
 * @param most > 0 where any value is
 */
export function sparkline(values: readonly (number | null)[], most: number): string {
  const bar = (value: number): string => BARS[Math.min(BARS.length, Math.ceil((value / most) * BARS.length)) - 1] ?? "";
  return values.map((value) => (value === null || value === 0 ? NO_BAR : bar(value))).join("");
}
