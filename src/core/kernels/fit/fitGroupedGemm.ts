import type { WeightDtype } from "../../units/dtype.js";
import { CompiledSurface, type EfficiencySurface } from "../efficiencySurface.js";
import { peakFlopsPerUs, type RoofConstants, roofBaseUs } from "../gemmKernel.js";
import type { RoofEfficiency } from "../gpuEfficiency.js";
import type { GpuRoofs } from "../gpuRoofs.js";
import {
  type GroupedGemmShape,
  groupedGemmBytes,
  groupedGemmFlops,
  groupedGemmUs,
  touchedExperts,
} from "../groupedGemmKernel.js";
import { fitLogParameters } from "./levenbergMarquardt.js";
import type { MeasuredRow } from "./measuredRow.js";
import { risingGroupedGemm } from "./risingPrices.js";
import { fitSurface } from "./surfaceFit.js";

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

/** How a benchmark gives tokens to experts: dealt out in turn, no expert twice before all had one; or drawn at random. */
export type ExpertRouting = "dealt" | "drawn";

/** Experts of this GPU whose weights were read. */
function readExperts(shape: GroupedGemmShape, routing: ExpertRouting): number {
  if (routing === "drawn") return touchedExperts(shape);
  return Math.min(
    shape.numLocalExperts,
    Math.max(1, (shape.numTokens * shape.topK * shape.numLocalExperts) / shape.numExperts),
  );
}

/** Memory-bound rows whose touched weights fit into L2 several times over, as in `isGemmResident`. */
export function isGroupedGemmResident(
  row: MeasuredRow,
  roofs: GpuRoofs,
  l2Bytes: number,
  dtype: WeightDtype,
  routing: ExpertRouting,
): boolean {
  const shape = shapeOf(row);
  const bytes = groupedGemmBytes(shape, readExperts(shape, routing), dtype);
  const isMemoryBound = bytes / roofs.bytesPerUs > groupedGemmFlops(shape) / peakFlopsPerUs(roofs, dtype);
  return isMemoryBound && bytes < l2Bytes * RESIDENT_L2_FRACTION;
}

/** Fits constants on rows that streamed from HBM, then the surface; L2-resident rows may only slow it down. */
export function fitGroupedGemm(
  rows: readonly MeasuredRow[],
  roofs: GpuRoofs,
  l2Bytes: number,
  dtype: WeightDtype,
  routing: ExpertRouting,
): RoofEfficiency {
  const streamed = rows.filter((row) => !isGroupedGemmResident(row, roofs, l2Bytes, dtype, routing));
  const streamedShapes = streamed.map(shapeOf);
  const shapes = rows.map(shapeOf);
  const peak = peakFlopsPerUs(roofs, dtype);
  const baseUs = (fit: RoofConstants, shape: GroupedGemmShape): number =>
    roofBaseUs(
      fit,
      roofs.bytesPerUs,
      peak,
      groupedGemmBytes(shape, readExperts(shape, routing), dtype),
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
        return Math.log(
          (isGroupedGemmResident(row, roofs, l2Bytes, dtype, routing) ? Math.max(row.us, base) : row.us) / base,
        );
      }),
      weight: Float64Array.from(rows, (row) => (isGroupedGemmResident(row, roofs, l2Bytes, dtype, routing) ? 0.3 : 1)),
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
  routing: ExpertRouting,
): (row: MeasuredRow) => number {
  const surface = fit.surface === null ? null : new CompiledSurface(fit.surface);
  return (row) => {
    const shape = shapeOf(row);
    return groupedGemmUs(fit, surface, roofs, shape, readExperts(shape, routing), dtype);
  };
}
