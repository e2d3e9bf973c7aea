import type { CharacterizeReport } from "../io/characterization/characterizeGpu.js";
import { columnsOf, printNumber, textTable } from "./textTable.js";

const BYTES_PER_GB = 1e9;

/** A characterisation for people to read: what was measured, what it replaces, and what difference it makes. */
export function characterizeTable(report: CharacterizeReport): string {
  const { characterization, file, notMeasured } = report;
  const { gpu, source, datasheetBytesPerS } = characterization;
  const datasheet = `datasheet ${printNumber(datasheetBytesPerS / BYTES_PER_GB, 0)} GB/s`;
  const measured = /^measured\b/.test(source) ? source : `measured by ${source === "" ? "an unnamed source" : source}`;
  const missing = notMeasured.map(({ what, reason }) => `not measured: ${what}: ${reason}\n`).join("");
  return [
    `${gpu} (${datasheet}), ${measured}: ${file}\n`,
    bandwidthTable(report),
    `${gapText(report)}${missing}`,
    `What it replaces, as fractions of the datasheet's bandwidth\n\n${factorTable(report)}`,
    `What difference it makes: ${report.model}${onGpus(report)}\n\n${stepTable(report)}`,
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function onGpus({ tensorParallelSize, characterization }: CharacterizeReport): string {
  return ` on ${tensorParallelSize === 1 ? "one" : tensorParallelSize} ${characterization.gpu}`;
}

function bandwidthTable({ patterns }: CharacterizeReport): string {
  if (patterns.length === 0) return "";
  const columns = columnsOf("reads", "block#", "GB/s#", "fraction#", "± %#", "rows#", "in L2#", "used");
  const rows = patterns.map(({ pattern, bandwidth, isUsed }) => [
    pattern,
    bandwidth.blockBytes === null ? "–" : `${bandwidth.blockBytes}`,
    printNumber(bandwidth.bytesPerS / BYTES_PER_GB, 0),
    printNumber(bandwidth.fraction, 3),
    printNumber(100 * bandwidth.spreadFraction),
    String(bandwidth.numRows),
    String(bandwidth.numCachedRows),
    isUsed ? "yes" : "no: another block size is nearer to the KV cache's",
  ]);
  return textTable(columns, rows);
}

function gapText({ characterization: { launchGap }, kernelGap }: CharacterizeReport): string {
  if (launchGap === null || kernelGap === null) return "";
  const { handoversPerLayer, usPerLayerBefore, usPerLayerAfter } = kernelGap;
  const measured = `${printNumber(launchGap.us, 2)} ± ${printNumber(launchGap.spreadUs, 2)} µs`;
  const perLayer = `${printNumber(usPerLayerAfter)} µs per layer of ${printNumber(handoversPerLayer)} kernels`;
  return `launch gap ${measured} (${launchGap.numRows} rows): ${perLayer}, ${printNumber(usPerLayerBefore)} µs without it\n`;
}

function factorTable({ factors, changes }: CharacterizeReport): string {
  const columns = columnsOf("kernels", "dtype", "reads", "today#", "with it#");
  const constants = factors.map(({ kernels, dtype, pattern, fractionBefore, fractionAfter }) => [
    kernels,
    dtype,
    pattern,
    printNumber(fractionBefore, 3),
    printNumber(fractionAfter, 3),
  ]);
  const reached = changes.map(({ pattern, fractionBefore, fractionAfter }) => [
    "reached on large shapes",
    "bf16",
    pattern,
    printNumber(fractionBefore, 3),
    printNumber(fractionAfter, 3),
  ]);
  return textTable(columns, [...constants, ...reached]);
}

function stepTable({ steps }: CharacterizeReport): string {
  const rows = steps.map(({ batch, stepUsBefore, stepUsAfter }) => [
    batch,
    printNumber(stepUsBefore),
    printNumber(stepUsAfter),
    printNumber(100 * (stepUsAfter / stepUsBefore - 1)),
  ]);
  return textTable(columnsOf("step", "µs today#", "µs with it#", "change %#"), rows);
}
