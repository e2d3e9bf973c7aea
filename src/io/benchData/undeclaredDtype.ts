import type { GpuSpec } from "../../core/hardware/gpuSpec.js";
import { MFU_COLUMNS } from "./mfuConventions.js";
import type { ParsedRow } from "./parseTable.js";
import type { BenchFamily } from "./tableFamily.js";

/**
 * The element type of a table that has no dtype column: fp8 when some row is faster than bf16 tensor cores allow, or
 * when its MFU column was divided by this GPU's fp8 peak; otherwise bf16.
 */
export function fasterDtype(family: BenchFamily, rows: readonly ParsedRow[], gpu: GpuSpec): "bf16" | "fp8" {
  const { bf16FlopsPerS, fp8FlopsPerS } = gpu.compute;
  if (fp8FlopsPerS === null) return "bf16";
  const impliedPeaks: number[] = [];
  for (const { column, latencyColumn, conventions } of MFU_COLUMNS[family]) {
    for (const { numbers } of rows) {
      const latencyUs = numbers[latencyColumn];
      if (latencyUs === undefined) continue;
      const flopsPerS = conventions[0]!.flops(numbers, []) / (latencyUs * 1e-6);
      if (flopsPerS > bf16FlopsPerS) return "fp8";
      const mfu = numbers[column] ?? 0;
      if (mfu > 0) impliedPeaks.push(flopsPerS / mfu);
    }
  }
  impliedPeaks.sort((a, b) => a - b);
  const implied = impliedPeaks[impliedPeaks.length >> 1];
  return implied !== undefined && implied > Math.sqrt(bf16FlopsPerS * fp8FlopsPerS) ? "fp8" : "bf16";
}
