import { type ErrorCode, InvariantError, SimulationError } from "../../errors/simulationError.js";
import { type FailedPoint, isMeasured, type PointResult } from "./sweepPoint.js";

/** No point of a sweep has a result: what is wrong with the first is what is wrong with the sweep. */
export class SweepFailedError extends SimulationError {
  readonly code: ErrorCode;

  constructor({ label, error, errorCode }: FailedPoint, numPoints: number) {
    super(numPoints === 1 ? error : `all ${numPoints} points failed, the first (${label}): ${error}`);
    this.code = errorCode;
  }
}

/**
 * The error that a sweep ends with, or null. Points that cannot work are a result like others, as long as some do; a bug
 * is never one.
 */
export function sweepFailure(points: readonly PointResult[]): SimulationError | null {
  const failed = points.filter((point) => !isMeasured(point));
  const bug = failed.find(({ errorCode }) => errorCode === "invariant");
  if (bug !== undefined) return new InvariantError(`${bug.label}: ${bug.error}`);
  const [first] = failed;
  return first !== undefined && failed.length === points.length ? new SweepFailedError(first, points.length) : null;
}
