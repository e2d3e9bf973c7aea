import { gemmFlops } from "../../model/gemmOperator.js";
import type { WeightDtype } from "../../units/dtype.js";
import { CompiledSurface, type EfficiencySurface } from "../efficiencySurface.js";
import { gemmBytes, gemmUs, peakFlopsPerUs, type RoofConstants, roofBaseUs } from "../gemmKernel.js";
import type { RoofEfficiency } from "../gpuEfficiency.js";
import type { GpuRoofs } from "../gpuRoofs.js";
import { fitLogParameters } from "./levenbergMarquardt.js";
import type { MeasuredRow } from "./measuredRow.js";
import { risingGemm } from "./risingPrices.js";
import { fitSurface } from "./surfaceFit.js";

/** The benchmark cycles through about six copies of the weights; a margin is left. */
const RESIDENT_L2_FRACTION = 1 / 4;
/** Products this small are all launch, wherever their operands lie. */
const LAUNCH_ONLY_BYTES = 0.5e6;

const KNOTS: EfficiencySurface["knots"] = [
  [1, 8, 16, 32, 64, 128, 192, 256, 512, 1024, 2048, 8192],
  [128, 512, 1024, 2048, 4096, 8192, 16384, 65536],
  [128, 512, 1024, 2048, 4096, 8192, 16384, 65536],
];

/** Rows are (m, n, k). */
export function isGemmResident(row: MeasuredRow, roofs: GpuRoofs, l2Bytes: number, dtype: WeightDtype): boolean {
  const [m, n, k] = row.dims as [number, number, number];
  const bytes = gemmBytes(m, k, n, dtype);
  const isMemoryBound = bytes / roofs.bytesPerUs > gemmFlops(m, k, n) / peakFlopsPerUs(roofs, dtype);
  return isMemoryBound && bytes < l2Bytes * RESIDENT_L2_FRACTION && bytes > LAUNCH_ONLY_BYTES;
}

/** Fits constants on rows that streamed from HBM, then the surface; L2-resident rows may only slow it down. */
export function fitGemm(
  rows: readonly MeasuredRow[],
  roofs: GpuRoofs,
  l2Bytes: number,
  dtype: WeightDtype,
  knots: EfficiencySurface["knots"] = KNOTS,
): RoofEfficiency {
  const peak = peakFlopsPerUs(roofs, dtype);
  const baseUs = (fit: RoofConstants, m: number, n: number, k: number): number =>
    roofBaseUs(fit, roofs.bytesPerUs, peak, gemmBytes(m, k, n, dtype), gemmFlops(m, k, n));
  const streamed = rows.filter((row) => !isGemmResident(row, roofs, l2Bytes, dtype));
  const constantsOf = ([launchUs, memory, compute]: readonly number[]): RoofConstants => ({
    launchUs: launchUs!,
    memoryEfficiency: Math.min(1, memory!),
    computeEfficiency: Math.min(1, compute!),
  });
  const found = fitLogParameters(
    [3.5, 0.88, 0.8],
    Float64Array.from(streamed, (row) => row.us),
    new Float64Array(streamed.length).fill(1),
    (parameters, i) => {
      const [m, n, k] = streamed[i]!.dims as [number, number, number];
      return baseUs(constantsOf(parameters), m, n, k);
    },
  );
  const constants = roundConstants(constantsOf(found));
  const targets = Float64Array.from(rows, (row) => {
    const [m, n, k] = row.dims as [number, number, number];
    const base = baseUs(constants, m, n, k);
    return Math.log((isGemmResident(row, roofs, l2Bytes, dtype) ? Math.max(row.us, base) : row.us) / base);
  });
  const surface = fitSurface(
    knots,
    {
      x: Float64Array.from(rows, (row) => row.dims[0]!),
      y: Float64Array.from(rows, (row) => row.dims[1]!),
      z: Float64Array.from(rows, (row) => row.dims[2]!),
      lnRatio: targets,
      weight: Float64Array.from(rows, (row) => (isGemmResident(row, roofs, l2Bytes, dtype) ? 0.3 : 1)),
    },
    {
      ridge: 0.02,
      smoothness: 0.3,
      huberLn: 0.12,
      ...risingGemm(constants, roofs, dtype),
    },
  );
  return { ...constants, surface };
}

function roundConstants(fit: RoofConstants): RoofConstants {
  return {
    launchUs: Number(fit.launchUs.toFixed(3)),
    memoryEfficiency: Number(fit.memoryEfficiency.toFixed(4)),
    computeEfficiency: Number(fit.computeEfficiency.toFixed(4)),
  };
}

/** A predictor for rows (m, n, k). */
export function gemmPredictor(fit: RoofEfficiency, roofs: GpuRoofs, dtype: WeightDtype): (row: MeasuredRow) => number {
  const surface = fit.surface === null ? null : new CompiledSurface(fit.surface);
  return (row) => gemmUs(fit, surface, roofs, row.dims[0]!, row.dims[2]!, row.dims[1]!, dtype);
}
