import type { KvDtype } from "../../units/dtype.js";
import type { MlaDecodeEfficiency } from "../gpuEfficiency.js";
import type { GpuRoofs } from "../gpuRoofs.js";
import {
  latentBytes,
  type MlaDecodeConstants,
  MlaDecodeCost,
  type MlaDecodeHeads,
  mlaDecodeBaseUs,
  REFERENCE_LATENT,
} from "../mlaDecodeKernel.js";
import { fitLogParameters } from "./levenbergMarquardt.js";
import type { MeasuredRow } from "./measuredRow.js";
import { risingMlaDecode } from "./risingPrices.js";
import { fitSurface } from "./surfaceFit.js";

/** Latents this small cost nothing but the launch, wherever they lie. */
const LAUNCH_ONLY_FRACTION = 0.04;

const REQUEST_KNOTS = [1, 4, 16, 64, 128, 256, 512, 1024];
const CONTEXT_KNOTS = [32, 256, 1024, 2048, 4096, 8192, 32768, 131072];
const HEAD_KNOTS = [1, 8, 16, 32, 64, 128];

/** Rows are (requests, context, heads). One copy of the latents is read over and over. */
export function isMlaDecodeResident(row: MeasuredRow, l2Bytes: number, dtype: KvDtype): boolean {
  const bytes = latentBytes(row.dims[0]! * row.dims[1]!, headsOf(row, dtype));
  return bytes < l2Bytes && bytes > l2Bytes * LAUNCH_ONLY_FRACTION;
}

/**
 * Fits constants on rows that streamed from HBM, then the surface; L2-resident rows may only slow it down.
 * @param launchUs of one launch where the rows cannot tell; null = fitted
 */
export function fitMlaDecode(
  rows: readonly MeasuredRow[],
  roofs: GpuRoofs,
  l2Bytes: number,
  dtype: KvDtype,
  launchUs: number | null = null,
): MlaDecodeEfficiency {
  const isResident = (row: MeasuredRow) => isMlaDecodeResident(row, l2Bytes, dtype);
  const constants = fitConstants(
    rows.filter((row) => !isResident(row)),
    roofs,
    dtype,
    launchUs,
  );
  const base = (row: MeasuredRow) => baseUs(constants, roofs, row, dtype);
  const surfaceRows = {
    x: Float64Array.from(rows, (row) => row.dims[0]!),
    y: Float64Array.from(rows, (row) => row.dims[1]!),
    z: Float64Array.from(rows, (row) => row.dims[2]!),
    lnRatio: Float64Array.from(rows, (row) => {
      const us = isResident(row) ? Math.max(row.us, base(row)) : row.us;
      return Math.log(us / base(row));
    }),
    weight: Float64Array.from(rows, (row) => (isResident(row) ? 0.3 : 1)),
  };
  const surface = fitSurface([REQUEST_KNOTS, CONTEXT_KNOTS, HEAD_KNOTS], surfaceRows, {
    ridge: 0.02,
    smoothness: 0.1,
    huberLn: 0.12,
    ...risingMlaDecode(constants, roofs, dtype),
  });
  return { ...constants, surface };
}

function fitConstants(
  rows: readonly MeasuredRow[],
  roofs: GpuRoofs,
  dtype: KvDtype,
  launchUs: number | null,
): MlaDecodeConstants {
  const withLaunch = (parameters: readonly number[]) => (launchUs === null ? parameters : [launchUs, ...parameters]);
  const found = fitLogParameters(
    [...(launchUs === null ? [30] : []), 3.5, 1000, 10, 0.85, 0.7, 800],
    Float64Array.from(rows, (row) => row.us),
    new Float64Array(rows.length).fill(1),
    (parameters, i) => baseUs(constantsOf(withLaunch(parameters), 12), roofs, rows[i]!, dtype),
  );
  return constantsOf(withLaunch(found), 5);
}

/** Positive search variables → valid constants. */
function constantsOf(parameters: readonly number[], digits: number): MlaDecodeConstants {
  const [launchUs, waveUs, queryHeadPs, rampUs, memory, compute, rowTokenPs] = parameters.map((value) =>
    Number(value.toPrecision(digits)),
  );
  return {
    launchUs: launchUs!,
    waveUs: waveUs!,
    queryHeadPs: queryHeadPs!,
    rampUs: rampUs!,
    memoryEfficiency: Math.min(1, memory!),
    computeEfficiency: Math.min(1, compute!),
    rowTokenPs: rowTokenPs!,
  };
}

function baseUs(fit: MlaDecodeConstants, roofs: GpuRoofs, row: MeasuredRow, dtype: KvDtype): number {
  const [numRequests, context] = row.dims as [number, number];
  return mlaDecodeBaseUs(fit, roofs, headsOf(row, dtype), numRequests, numRequests * context);
}

function headsOf(row: MeasuredRow, kvDtype: KvDtype): MlaDecodeHeads {
  return { ...REFERENCE_LATENT, numHeads: row.dims[2]!, kvDtype };
}

/** A predictor for rows (requests, context, heads). */
export function mlaDecodePredictor(
  fit: MlaDecodeEfficiency,
  roofs: GpuRoofs,
  dtype: KvDtype,
): (row: MeasuredRow) => number {
  const costs = new Map<number, MlaDecodeCost>();
  return (row) => {
    const [numRequests, context, numHeads] = row.dims as [number, number, number];
    const cost = costs.get(numHeads) ?? new MlaDecodeCost(fit, roofs, headsOf(row, dtype));
    costs.set(numHeads, cost);
    return cost.rowsUs(numRequests, numRequests * context);
  };
}
