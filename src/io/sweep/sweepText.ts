import type { SweepResult } from "../../core/analysis/sweep/sweepResult.js";
import { cleanJson } from "../results/cleanJson.js";

/** A string of indented JSON, or a list of numbers alone; strings first, so that a list in one of them is passed over. */
const STRING_OR_NUMBERS = /"(?:[^"\\]|\\.)*"|\[\s+-?\d[\d.eE+-]*(?:,\s+-?\d[\d.eE+-]*)*\s+\]/g;

/** The result as JSON, indented; a list of numbers takes one line, or quantiles would take a hundred each. */
export function sweepJson(result: SweepResult): string {
  const onOneLine = (part: string) =>
    part.startsWith('"') ? part : `[${part.slice(1, -1).trim().replaceAll(/\s+/g, " ")}]`;
  return `${cleanJson(result).replace(STRING_OR_NUMBERS, onOneLine)}\n`;
}
