import type { SweepResult } from "../../core/analysis/sweep/sweepResult.js";
import { cleanJson } from "../results/cleanJson.js";

/** The result as JSON, indented; a list of numbers takes one line, or quantiles would take a hundred each. */
export function sweepJson(result: SweepResult): string {
  const text = cleanJson(result);
  return `${text.replace(/\[\s+(-?\d[\d.eE+-]*(?:,\s+-?\d[\d.eE+-]*)*)\s+\]/g, (_, numbers: string) => `[${numbers.replaceAll(/\s+/g, " ")}]`)}\n`;
}
