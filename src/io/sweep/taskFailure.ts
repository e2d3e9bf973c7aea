import type { TaskFailure } from "../../core/analysis/sweep/sweepTask.js";
import { SimulationError } from "../../core/errors/simulationError.js";

/** An error as data: threads and files carry text. What is no error of the user's is a bug, and keeps its stack. */
export function failureOf(error: unknown): TaskFailure {
  if (error instanceof SimulationError && error.code !== "invariant") {
    // One line: it stands in a table and in a column.
    return { code: error.code, message: error.message.replaceAll("\n", "; ") };
  }
  if (error instanceof Error && "syscall" in error) return { code: "data-file", message: error.message };
  return { code: "invariant", message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
