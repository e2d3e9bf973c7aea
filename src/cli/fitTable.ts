import type { FamilyOutcome, SizeErrors } from "../core/kernels/fit/fitFamily.js";
import type { BenchDataFit } from "../io/benchData/fitBenchData.js";
import { columnsOf, printNumber, textTable } from "./textTable.js";

/** Errors before and after a fit, family by family; ends with a newline. */
export function fitTable({ gpu, data, before, numLeftOut, outcomes }: BenchDataFit): string {
  const left = numLeftOut === 0 ? "" : `; ${numLeftOut} rows that cannot be believed left out`;
  const kept = outcomes.filter(({ keptBecause }) => keptBecause !== null);
  return [
    `${gpu}, ${data}${left}; before = ${before}; mean |error| in %\n\n`,
    textTable(
      columnsOf("family", "dtype", "size", "rows#", "before#", "after#", "unseen before#", "unseen after#"),
      outcomes.flatMap(outcomeRows),
    ),
    ...kept.map(({ family, dtype, keptBecause }) => `${family} ${dtype} keeps what it had: ${keptBecause}\n`),
  ].join("");
}

/** Names stand once, beside the family's first row. */
function outcomeRows({ family, dtype, errors, keptBecause }: FamilyOutcome): string[][] {
  return errors.map((size, i) => [
    i === 0 ? family : "",
    i === 0 ? dtype : "",
    ...errorCells(size, keptBecause === null),
  ]);
}

function errorCells(size: SizeErrors, isFitted: boolean): string[] {
  return [
    size.sizeClass ?? "all",
    String(size.numRows),
    printNumber(size.mapePercentBefore),
    isFitted ? printNumber(size.mapePercentAfter) : "–",
    printNumber(size.heldOutMapePercentBefore),
    printNumber(size.heldOutMapePercentAfter),
  ];
}
