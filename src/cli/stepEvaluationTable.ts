import type { StepEvaluation } from "../io/groundTruth/evaluateSteps.js";
import { pricedBy } from "./pricedBy.js";
import { signedError } from "./signedNumber.js";
import { columnsOf, printNumber, textTable } from "./textTable.js";

/** Errors by kind, then every step; ends with a newline. */
export function stepEvaluationTable({ pricing, benchData, errors, steps }: StepEvaluation): string {
  const priced = pricedBy({ pricing, benchData });
  const summary = textTable(
    columnsOf("|error| of GPU time, %", "steps#", "mean#", "p90#", "with sign, mean#"),
    errors.map(({ kind, numSteps, meanApe, p90Ape, meanError }) => [
      kind,
      String(numSteps),
      printNumber(meanApe),
      printNumber(p90Ape),
      signedError(meanError),
    ]),
  );
  const each = textTable(
    columnsOf("model", "layers#", "weights", "KV", "step", "measured µs#", "predicted µs#", "error %#"),
    steps.map((step) => [
      step.model,
      String(step.layers),
      step.weightDtype,
      step.kvDtype,
      step.batch,
      printNumber(step.measuredUs),
      printNumber(step.predictedUs),
      signedError(step.errorPercent),
    ]),
  );
  return `${priced === "" ? "" : `${priced}\n\n`}${summary}\n${each}`;
}
