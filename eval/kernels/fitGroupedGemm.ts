import { CompiledSurface, type EfficiencySurface } from "../../src/core/kernels/efficiencySurface.js";
import { fitLogParameters } from "../../src/core/kernels/fit/levenbergMarquardt.js";
import { risingGroupedGemm } from "../../src/core/kernels/fit/risingPrices.js";
import { fitSurface } from "../../src/core/kernels/fit/surfaceFit.js";
import { peakFlopsPerUs, type RoofConstants, roofBaseUs } from "../../src/core/kernels/gemmKernel.js";
import type { RoofEfficiency } from "../../src/core/kernels/gpuEfficiency.js";
import type { GpuRoofs } from "../../src/core/kernels/gpuRoofs.js";
import {
  type GroupedGemmShape,
  groupedGemmBytes,
  groupedGemmFlops,
  groupedGemmUs,
} from "../../src/core/kernels/groupedGemmKernel.js";
import type { WeightDtype } from "../../src/core/units/dtype.js";
import type { MeasuredRow } from "./fitRows.js";

/** The benchmark cycles through copies of the weights; a margin is left. */
const RESIDENT_L2_FRACTION = 1 / 4;

/** Over tokens per local expert, local experts, intermediate size. */
const KNOTS: EfficiencySurface["knots"] = [
  [0.02, 0.125, 0.5, 1, 4, 8, 16, 32, 64, 128, 512, 4096],
  [8, 32, 128, 512],
  [128, 512, 1024, 2048, 8192, 16384],
];

/** Row dims: (tokens, experts, local experts, topK, hidden size, intermediate size per GPU). */
export function shapeOf(row: MeasuredRow): GroupedGemmShape {
  const [numTokens, numExperts, numLocalExperts, topK, hiddenSize, intermediateSize] = row.dims as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return { numTokens, numExperts, numLocalExperts, topK, hiddenSize, intermediateSize };
}

/** The benchmark's balanced routing deals tokens out in turn: no expert twice before all had one. */
export function dealtExperts(shape: GroupedGemmShape): number {
  return Math.min(
    shape.numLocalExperts,
    Math.max(1, (shape.numTokens * shape.topK * shape.numLocalExperts) / shape.numExperts),
  );
}

/** Memory-bound rows whose touched weights fit into L2 several times over, as in `isGemmResident`. */
export function isGroupedGemmResident(row: MeasuredRow, roofs: GpuRoofs, l2Bytes: number, dtype: WeightDtype): boolean {
  const shape = shapeOf(row);
  const bytes = groupedGemmBytes(shape, dealtExperts(shape), dtype);
  const isMemoryBound = bytes / roofs.bytesPerUs > groupedGemmFlops(shape) / peakFlopsPerUs(roofs, dtype);
  return isMemoryBound && bytes < l2Bytes * RESIDENT_L2_FRACTION;
}

/** Fits constants on rows that streamed from HBM, then the surface; L2-resident rows may only slow it down. */
export function fitGroupedGemm(
  rows: readonly MeasuredRow[],
  roofs: GpuRoofs,
  l2Bytes: number,
  dtype: WeightDtype,
): RoofEfficiency {
  const streamed = rows.filter((row) => !isGroupedGemmResident(row, roofs, l2Bytes, dtype));
  const streamedShapes = streamed.map(shapeOf);
  const shapes = rows.map(shapeOf);
  const peak = peakFlopsPerUs(roofs, dtype);
  const baseUs = (fit: RoofConstants, shape: GroupedGemmShape): number =>
    roofBaseUs(
      fit,
      roofs.bytesPerUs,
      peak,
      groupedGemmBytes(shape, dealtExperts(shape), dtype),
      groupedGemmFlops(shape),
    );
  const [launchUs, memory, compute] = fitLogParameters(
    [15, 0.85, 0.5],
    Float64Array.from(streamed, (row) => row.us),
    new Float64Array(streamed.length).fill(1),
    ([launch, memoryEfficiency, computeEfficiency], i) =>
      baseUs(
        {
          launchUs: launch!,
          memoryEfficiency: Math.min(1, memoryEfficiency!),
          computeEfficiency: Math.min(1, computeEfficiency!),
        },
        streamedShapes[i]!,
      ),
  );
  const constants: RoofConstants = {
    launchUs: Number(launchUs!.toFixed(3)),
    memoryEfficiency: Number(Math.min(1, memory!).toFixed(4)),
    computeEfficiency: Number(Math.min(1, compute!).toFixed(4)),
  };
  const surface = fitSurface(
    KNOTS,
    {
      x: Float64Array.from(shapes, (s) => (s.numTokens * s.topK) / s.numExperts),
      y: Float64Array.from(shapes, (s) => s.numLocalExperts),
      z: Float64Array.from(shapes, (s) => s.intermediateSize),
      lnRatio: Float64Array.from(rows, (row, i) => {
        const base = baseUs(constants, shapes[i]!);
        return Math.log((isGroupedGemmResident(row, roofs, l2Bytes, dtype) ? Math.max(row.us, base) : row.us) / base);
      }),
      weight: Float64Array.from(rows, (row) => (isGroupedGemmResident(row, roofs, l2Bytes, dtype) ? 0.3 : 1)),
    },
    {
      ridge: 0.02,
      smoothness: 0.1,
      huberLn: 0.12,
      ...risingGroupedGemm(constants, roofs, dtype),
    },
  );
  return { ...constants, surface };
}

export function groupedGemmPredictor(
  fit: RoofEfficiency,
  roofs: GpuRoofs,
  dtype: WeightDtype,
): (row: MeasuredRow) => number {
  const surface = fit.surface === null ? null : new CompiledSurface(fit.surface);
  return (row) => {
    const shape = shapeOf(row);
    return groupedGemmUs(fit, surface, roofs, shape, dealtExperts(shape), dtype);
  };
}
