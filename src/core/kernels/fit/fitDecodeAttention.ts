import type { KvDtype } from "../../units/dtype.js";
import {
  compileDecodeSurfaces,
  type DecodeAttentionConstants,
  DecodeAttentionCost,
  decodeAttentionBaseUs,
  kvBytes,
  REFERENCE_HEAD_DIM,
} from "../decodeAttentionKernel.js";
import { CompiledSurface, type EfficiencySurface } from "../efficiencySurface.js";
import type { DecodeAttentionEfficiency } from "../gpuEfficiency.js";
import type { GpuRoofs } from "../gpuRoofs.js";
import { fitLogParameters } from "./levenbergMarquardt.js";
import type { MeasuredRow } from "./measuredRow.js";
import { risingDecode } from "./risingPrices.js";
import { fitSurface, type SurfaceRows } from "./surfaceFit.js";

/** Head size of the fitted rows. */
const HEAD_DIM = REFERENCE_HEAD_DIM;
/** KV this small costs nothing but the launch, wherever it lies. */
const LAUNCH_ONLY_FRACTION = 0.04;

const ROW_KNOTS = [1, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 16384];
const CONTEXT_KNOTS = [32, 128, 256, 512, 1024, 2048, 4096, 8192, 32768, 131072];
/** Query heads per KV head: kernels differ between one and several. */
const GROUP_KNOTS: EfficiencySurface["knots"] = [ROW_KNOTS, CONTEXT_KNOTS, [1, 2]];
const KV_HEAD_KNOTS: EfficiencySurface["knots"] = [ROW_KNOTS, CONTEXT_KNOTS, [1, 2, 8]];

/** Rows are (batch, context, heads, KV heads). One copy of the KV is read over and over. */
export function isDecodeResident(row: MeasuredRow, l2Bytes: number, dtype: KvDtype): boolean {
  const bytes = readBytes(row, dtype);
  return bytes < l2Bytes && bytes > l2Bytes * LAUNCH_ONLY_FRACTION;
}

function readBytes(row: MeasuredRow, dtype: KvDtype): number {
  return kvBytes(row.dims[0]! * row.dims[1]!, row.dims[3]!, HEAD_DIM, dtype);
}

/** Fits constants on rows that streamed from HBM, then the surface; L2-resident rows may only slow it down. */
export function fitDecodeAttention(
  rows: readonly MeasuredRow[],
  roofs: GpuRoofs,
  l2Bytes: number,
  dtype: KvDtype,
): DecodeAttentionEfficiency {
  const streamed = rows.filter((row) => !isDecodeResident(row, l2Bytes, dtype));
  const [launchUs, waveUs, memory, rampUs] = fitLogParameters(
    [10, 3.5, 0.92, 3],
    Float64Array.from(streamed, (row) => row.us),
    new Float64Array(streamed.length).fill(1),
    ([launch, wave, efficiency, ramp], i) => {
      const row = streamed[i]!;
      const fit = { launchUs: launch!, waveUs: wave!, rampUs: ramp!, memoryEfficiency: Math.min(1, efficiency!) };
      return decodeAttentionBaseUs(fit, roofs, row.dims[0]! * row.dims[3]!, readBytes(row, dtype));
    },
  );
  const constants: DecodeAttentionConstants = {
    launchUs: Number(launchUs!.toFixed(3)),
    waveUs: Number(waveUs!.toFixed(3)),
    rampUs: Number(rampUs!.toFixed(3)),
    memoryEfficiency: Number(Math.min(1, memory!).toFixed(4)),
  };
  const base = (row: MeasuredRow): number =>
    decodeAttentionBaseUs(constants, roofs, row.dims[0]! * row.dims[3]!, readBytes(row, dtype));
  const groupRows: SurfaceRows = {
    x: Float64Array.from(rows, (row) => row.dims[0]! * row.dims[3]!),
    y: Float64Array.from(rows, (row) => row.dims[1]!),
    z: Float64Array.from(rows, (row) => row.dims[2]! / row.dims[3]!),
    lnRatio: Float64Array.from(rows, (row) => {
      const us = isDecodeResident(row, l2Bytes, dtype) ? Math.max(row.us, base(row)) : row.us;
      return Math.log(us / base(row));
    }),
    weight: Float64Array.from(rows, (row) => (isDecodeResident(row, l2Bytes, dtype) ? 0.3 : 1)),
  };
  const options = { ridge: 0.02, smoothness: 0.1, huberLn: 0.12 } as const;
  const groupSurface = fitSurface(GROUP_KNOTS, groupRows, {
    ...options,
    ...risingDecode(constants, roofs, dtype),
  });
  const byGroup = new CompiledSurface(groupSurface);
  const kvHeadRows: SurfaceRows = {
    ...groupRows,
    z: Float64Array.from(rows, (row) => row.dims[3]!),
    lnRatio: groupRows.lnRatio.map(
      (lnRatio, i) => lnRatio - Math.log(byGroup.factor(groupRows.x[i]!, groupRows.y[i]!, groupRows.z[i]!)),
    ),
  };
  const kvHeadSurface = fitSurface(KV_HEAD_KNOTS, kvHeadRows, {
    ...options,
    ...risingDecode(constants, roofs, dtype, byGroup, GROUP_KNOTS[2].map(Math.log)),
  });
  return { ...constants, groupSurface, kvHeadSurface };
}

/** A predictor for rows (batch, context, heads, KV heads). */
export function decodePredictor(
  fit: DecodeAttentionEfficiency,
  roofs: GpuRoofs,
  dtype: KvDtype,
): (row: MeasuredRow) => number {
  const surfaces = compileDecodeSurfaces(fit);
  return (row) => {
    const [batch, context, numHeads, numKvHeads] = row.dims as [number, number, number, number];
    return new DecodeAttentionCost(fit, surfaces, roofs, {
      numHeads,
      numKvHeads,
      headDim: HEAD_DIM,
      kvDtype: dtype,
    }).rowsUs(batch, batch * context);
  };
}
