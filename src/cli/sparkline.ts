const BARS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;
const NO_BAR = " ";

/**
 * Numbers as one line of bars: the tallest bar is `most` or more, anything above 0 has a bar, 0 and null stay blank.
 * @param most > 0 where any value is
 * @param least 0 = a linear scale; above 0, and below `most`, a logarithmic one whose lowest bar is `least` or less
 */
export function sparkline(values: readonly (number | null)[], most: number, least = 0): string {
  const height = (value: number) => (least > 0 ? Math.log(value / least) / Math.log(most / least) : value / most);
  const bar = (value: number): string =>
    BARS[Math.min(BARS.length, Math.max(1, Math.ceil(height(value) * BARS.length))) - 1] ?? "";
  return values.map((value) => (value === null || value === 0 ? NO_BAR : bar(value))).join("");
}
