import type { StepErrors } from "../core/evaluation/stepErrors.js";
import type { EvaluatedStep, StepEvaluation } from "../io/groundTruth/evaluateSteps.js";
import { pricedBy } from "./pricedBy.js";
import { signedError } from "./signedNumber.js";
import { columnsOf, printNumber, textTable } from "./textTable.js";

/** Steps that are shown first where there are more. */
const NUM_WORST_STEPS = 5;

/** Errors by kind, the worst steps, every step, and the verdict where two prices were compared; ends with a newline. */
export function stepEvaluationTable(evaluation: StepEvaluation): string {
  const { pricing, benchData, kernelGaps, steps, verdict } = evaluation;
  const gaps = kernelGaps === "measured" ? "with the measured gaps between kernels" : "no gaps between kernels";
  const priced = pricedBy({ pricing, benchData }) || "priced by the built-in efficiencies";
  const worst = [...steps].sort((a, b) => Math.abs(b.errorPercent) - Math.abs(a.errorPercent));
  const isLong = steps.length > NUM_WORST_STEPS;
  const parts = [
    `${priced}; one CUDA graph a step, ${gaps}\n`,
    errorTable(evaluation),
    ...(isLong ? [stepTable(worst.slice(0, NUM_WORST_STEPS), "worst steps")] : []),
    stepTable(steps, "model"),
    ...(verdict === null ? [] : [`${verdict}\n`]),
  ];
  return parts.join("\n");
}

function errorTable({ errors, builtInErrors, repeatableErrors, steps }: StepEvaluation): string {
  const titles = ["|error| of GPU time, %", "steps#", "mean#", "p90#", "with sign, mean#"];
  const others = builtInErrors === null ? [] : ["built-in: mean#", "p90#", "with sign, mean#"];
  const cells = ({ meanApe, p90Ape, meanError }: StepErrors) => [
    printNumber(meanApe),
    printNumber(p90Ape),
    signedError(meanError),
  ];
  const rows = errors.map((error, i) => [
    error.kind,
    String(error.numSteps),
    ...cells(error),
    ...(builtInErrors === null ? [] : cells(builtInErrors[i]!)),
  ]);
  const [repeatable] = repeatableErrors ?? [];
  if (repeatable !== undefined) {
    const left = `all but ${steps.length - repeatable.numSteps} not repeatable`;
    rows.push([left, String(repeatable.numSteps), ...cells(repeatable)]);
  }
  return textTable(columnsOf(...titles, ...others), rows);
}

function stepTable(steps: readonly EvaluatedStep[], title: string): string {
  const isCompared = steps[0]!.builtInUs !== null;
  const others = isCompared ? ["built-in µs#", "error %#"] : [];
  return textTable(
    columnsOf(title, "layers#", "weights", "KV", "step", "measured µs#", "predicted µs#", "error %#", ...others),
    steps.map((step) => [
      step.model,
      String(step.layers),
      step.weightDtype,
      step.kvDtype,
      step.batch,
      printNumber(step.measuredUs),
      printNumber(step.predictedUs),
      signedError(step.errorPercent),
      ...(isCompared ? [printNumber(step.builtInUs), signedError(step.builtInErrorPercent!)] : []),
    ]),
  );
}
