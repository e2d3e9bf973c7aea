import type { FamilyOutcome, SizeErrors } from "../core/kernels/fit/fitFamily.js";
import type { ShapeErrors } from "../core/kernels/fit/shapeErrors.js";
import { type BenchDataFit, NEVER_FITTED } from "../io/benchData/fitBenchData.js";
import { columnsOf, printNumber, textTable } from "./textTable.js";

/** Errors before and after a fit, by family and size, then by shape, and what was kept; ends with a newline. */
export function fitTable(fit: BenchDataFit): string {
  const { gpu, data, before, numLeftOut, outcomes } = fit;
  const left = numLeftOut === 0 ? "" : `; ${numLeftOut} rows that cannot be believed left out`;
  return [
    `${gpu}, ${data}${left}; before = ${before}; mean |error| in %\n\n`,
    textTable(
      columnsOf("family", "dtype", "size", "rows#", "before#", "after#", "unseen before#", "unseen after#", "verdict"),
      outcomes.flatMap(outcomeRows),
    ),
    "\n",
    textTable(
      columnsOf("family", "dtype", "shape", "rows#", "before#", "after#", "built-in model"),
      outcomes.flatMap(shapeRows),
    ),
    "\n",
    keptSentences(fit),
  ].join("");
}

/** Names stand once, beside the family's first row. */
function outcomeRows({ family, dtype, errors, verdict }: FamilyOutcome): string[][] {
  const isTried = verdict !== "too few rows";
  return errors.map((size, i) => {
    const names = i === 0 ? [family, dtype] : ["", ""];
    const said = verdict === "fitted" ? verdict : `kept: ${verdict}`;
    return [...names, ...errorCells(size, isTried), i === 0 ? said : ""];
  });
}

function errorCells(size: SizeErrors, isTried: boolean): string[] {
  return [
    size.sizeClass ?? "all",
    String(size.numRows),
    printNumber(size.mapePercentBefore),
    isTried ? printNumber(size.mapePercentAfter) : "–",
    printNumber(size.heldOutMapePercentBefore),
    printNumber(size.heldOutMapePercentAfter),
  ];
}

/** The shapes of built-in models together and the worst of them, then the worst of all. */
function shapeRows({ family, dtype, verdict, modelShapes, worstShapes }: FamilyOutcome): string[][] {
  const isTried = verdict !== "too few rows";
  const after = (percent: number) => (isTried ? printNumber(percent) : "–");
  const row = ({ shape, numRows, mapePercentBefore, mapePercentAfter, models }: ShapeErrors) => {
    return [shape, String(numRows), printNumber(mapePercentBefore), after(mapePercentAfter), modelWords(models)];
  };
  const meanOf = (errorOf: (shape: ShapeErrors) => number) =>
    modelShapes.reduce((sum, shape) => sum + errorOf(shape), 0) / modelShapes.length;
  const numRows = modelShapes.reduce((sum, shape) => sum + shape.numRows, 0);
  const together =
    modelShapes.length === 0
      ? ["none that a built-in model has", "–", "–", "–", ""]
      : [
          `${modelShapes.length} of built-in models, mean`,
          String(numRows),
          printNumber(meanOf(({ mapePercentBefore }) => mapePercentBefore)),
          after(meanOf(({ mapePercentAfter }) => mapePercentAfter)),
          "",
        ];
  const [worstOfModels] = modelShapes;
  const worst = worstOfModels === undefined || worstShapes.includes(worstOfModels) ? [] : [worstOfModels];
  const shapes = [...worst, ...worstShapes].map(row);
  return [together, ...shapes].map((cells, i) => [i === 0 ? family : "", i === 0 ? dtype : "", ...cells]);
}

function modelWords(models: readonly string[]): string {
  const [first, ...others] = models;
  if (first === undefined) return "";
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}

/** What keeps its parameters, and why. */
function keptSentences({ outcomes, unmeasured, efficiency }: BenchDataFit): string {
  const lines = outcomes
    .filter(({ keptBecause }) => keptBecause !== null)
    .map(({ family, dtype, keptBecause }) => `${family} ${dtype} keeps what it had: ${keptBecause}`);
  const follows = unmeasured.filter(
    ({ family, dtype }) =>
      dtype === "int4" && efficiency[family === "gemm" ? "gemm" : "groupedGemm"].int4?.surface === null,
  );
  const kept = unmeasured.filter((one) => !follows.includes(one));
  const names = (some: typeof unmeasured) => some.map(({ family, dtype }) => `${family} ${dtype}`).join(", ");
  if (kept.length > 0) lines.push(`no measured rows, so what they had is kept: ${names(kept)}`);
  if (follows.length > 0)
    lines.push(`no measured rows, so the bf16 parameters of the family are followed: ${names(follows)}`);
  lines.push(`never fitted to tables, so what they had is kept: ${NEVER_FITTED.join(", ")}`);
  return `${lines.join("\n")}\n`;
}
