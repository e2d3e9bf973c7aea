import type { GpuSpec } from "../../hardware/gpuSpec.js";
import type { Operator, OperatorDims } from "../../model/operator.js";
import { gpuRoofs } from "../gpuRoofs.js";
import type { KernelLookup } from "../kernelLookup.js";
import type { KernelModel, KernelPrice } from "../kernelModel.js";
import type {
  AttentionHeads,
  DecodeAttentionRow,
  GemmRow,
  GroupedGemmRow,
  KernelTableSet,
  PrefillAttentionRow,
  TableRow,
} from "./kernelTable.js";
import { physicalFloor } from "./physicalFloor.js";
import { decodeRowOperator, gemmRowOperator, groupedGemmRowOperator, prefillRowOperator } from "./rowOperator.js";
import { groupRows } from "./tableReading.js";

type Dims<Category extends OperatorDims["category"]> = Extract<OperatorDims, { category: Category }>;

/** A row with the FLOPs of what it measured, and how far it is from what was asked for. */
interface NearestRow {
  readonly row: TableRow;
  readonly flops: number;
  /** Pairs of a shape number asked for and the row's. */
  readonly shape: readonly (readonly [asked: number, found: number])[];
}

/**
 * Prices matrix products and attention as InferSim and roofline-v2 do: at the MFU of the nearest row of a table, without
 * interpolation. It exists to be compared with: prices jump where another row becomes the nearest one, and between rows
 * a memory-bound kernel is charged for FLOPs it does not wait for.
 *
 * A GEMM takes the smallest (k, n) that holds its own, then the largest m up to its own; prefill attention the longest
 * prompt up to its own sequence; decode attention the nearest row with no more requests and no longer context. Where
 * there is no such row, the nearest of all. Never below the physical floor.
 *
 * @param fallback prices the other kernels, and families without rows
 */
export function createNearestMfuKernelModel(gpu: GpuSpec, tables: KernelTableSet, fallback: KernelModel): KernelModel {
  const roofs = gpuRoofs(gpu);
  const gemm = nearestGemm(tables.gemm);
  const groupedGemm = nearestGroupedGemm(tables.groupedGemm);
  const prefill = nearestPrefill(tables.prefillAttention);
  const decode = nearestDecode(tables.decodeAttention);
  const find = ({ dims }: Operator): NearestRow | null => {
    switch (dims.category) {
      case "gemm":
        return gemm(dims);
      case "grouped-gemm":
        return groupedGemm(dims);
      case "attention-prefill":
        return prefill(dims);
      case "attention-decode":
        return decode(dims);
      default:
        return null;
    }
  };
  return {
    price(operator): KernelPrice {
      const nearest = find(operator);
      if (nearest === null) return fallback.price(operator);
      const floor = physicalFloor(operator, roofs);
      const us = Math.max(floor.us, (nearest.row.latencyUs * operator.flops) / nearest.flops);
      const efficiency = us > 0 ? floor.us / us : 1;
      return { us, launchUs: 0, boundBy: floor.boundBy, efficiency, source: nearest.row.source };
    },
    lookup(operator): KernelLookup {
      const nearest = find(operator);
      if (nearest === null) return fallback.lookup(operator);
      const lnDistance = Math.max(...nearest.shape.map(([asked, found]) => Math.abs(Math.log(asked / found))));
      return { kind: "nearest", lnDistance };
    },
  };
}

/** FLOPs of what a row measured, counted once: every step asks for some row's. */
function flopsOfRows<Row extends object>(operatorOf: (row: Row) => Operator): (row: Row) => number {
  const counted = new Map<Row, number>();
  return (row) => {
    const known = counted.get(row) ?? operatorOf(row).flops;
    counted.set(row, known);
    return known;
  };
}

/** fp16 runs on the same tensor cores at the same rate as bf16. */
function kernelDtype(dtype: string): string {
  return dtype === "fp16" ? "bf16" : dtype;
}

function nearestGemm(rows: readonly GemmRow[]): (dims: Dims<"gemm">) => NearestRow | null {
  const flopsOf = flopsOfRows(gemmRowOperator);
  const matrices = groupRows(rows, ({ dtype, k, n }) => `${kernelDtype(dtype)} ${k} ${n}`);
  const candidates = [...matrices.values()].map((group) => {
    const { dtype, k, n } = group[0]!;
    return { dtype: kernelDtype(dtype), k, n, rows: [...group].sort((a, b) => a.m - b.m) };
  });
  const chosen = remembered((dtype: string, k: number, n: number): readonly GemmRow[] => {
    const known = candidates.filter((matrix) => matrix.dtype === dtype);
    const holding = known.filter((matrix) => matrix.k >= k && matrix.n >= n);
    const best =
      holding.length > 0
        ? least(holding, (matrix) => Math.hypot(matrix.k - k, matrix.n - n))
        : least(known, (matrix) => -matrix.k * matrix.n);
    return best?.rows ?? [];
  });
  return ({ m, k, n, weightDtype }) => {
    const row = lastUpTo(chosen(kernelDtype(weightDtype), k, n), (candidate) => candidate.m, m);
    if (row === null) return null;
    const shape = [
      [m, row.m],
      [k, row.k],
      [n, row.n],
    ] as const;
    return { row, flops: flopsOf(row), shape };
  };
}

function nearestGroupedGemm(rows: readonly GroupedGemmRow[]): (dims: Dims<"grouped-gemm">) => NearestRow | null {
  const flopsOf = flopsOfRows(groupedGemmRowOperator);
  const routings = groupRows(
    rows,
    (row) => `${kernelDtype(row.dtype)} ${row.numExperts} ${row.numLocalExperts} ${row.topK}`,
  );
  return ({ numTokens, numExperts, numLocalExperts, topK, hiddenSize, intermediateSize, weightDtype }) => {
    const known = routings.get(`${kernelDtype(weightDtype)} ${numExperts} ${numLocalExperts} ${topK}`) ?? [];
    const distance = (row: GroupedGemmRow) =>
      Math.hypot(row.hiddenSize - hiddenSize, row.intermediateSize - intermediateSize);
    const nearest = least(known, distance);
    if (nearest === null) return null;
    const ofShape = known
      .filter((row) => distance(row) === distance(nearest))
      .sort((a, b) => a.numTokens - b.numTokens);
    const row = lastUpTo(ofShape, (candidate) => candidate.numTokens, numTokens);
    if (row === null) return null;
    const shape = [
      [numTokens, row.numTokens],
      [hiddenSize, row.hiddenSize],
      [intermediateSize, row.intermediateSize],
    ] as const;
    return { row, flops: flopsOf(row), shape };
  };
}

function nearestPrefill(rows: readonly PrefillAttentionRow[]): (dims: Dims<"attention-prefill">) => NearestRow | null {
  const flopsOf = flopsOfRows(prefillRowOperator);
  const ofHeads = nearestHeads(rows.filter(({ contextLen, batchSize }) => contextLen === 0 && batchSize === 1));
  return (dims) => {
    const longest = dims.chunks.reduce((max, chunk) => Math.max(max, chunk.contextTokens + chunk.newTokens), 0);
    const row = lastUpTo(ofHeads(dims), (candidate) => candidate.seqLen, longest);
    if (row === null) return null;
    const shape = [[longest, row.seqLen], ...headsShape(dims, row)] as const;
    return { row, flops: flopsOf(row), shape };
  };
}

function nearestDecode(rows: readonly DecodeAttentionRow[]): (dims: Dims<"attention-decode">) => NearestRow | null {
  const flopsOf = flopsOfRows(decodeRowOperator);
  const ofHeads = nearestHeads(rows);
  return (dims) => {
    const contextTokens = dims.sumContextTokens / dims.numRequests;
    const known = ofHeads(dims);
    const below = known.filter((row) => row.batchSize <= dims.numRequests && row.kvLen <= contextTokens);
    const row = least(below.length > 0 ? below : known, ({ batchSize, kvLen }) =>
      Math.hypot(batchSize - dims.numRequests, kvLen - contextTokens),
    );
    if (row === null) return null;
    const shape = [[dims.numRequests, row.batchSize], [contextTokens, row.kvLen], ...headsShape(dims, row)] as const;
    return { row, flops: flopsOf(row), shape };
  };
}

/** Rows of the head shape nearest to the one asked for, of its KV type, by `seqLen` where they have one. */
function nearestHeads<Row extends TableRow & AttentionHeads>(
  rows: readonly Row[],
): (heads: AttentionHeads) => readonly Row[] {
  const shapes = [...groupRows(rows, headsKey).values()].map((group) =>
    [...group].sort((a, b) => sequence(a) - sequence(b)),
  );
  const chosen = new Map<string, readonly Row[]>();
  return (heads) => {
    const key = headsKey(heads);
    const known = chosen.get(key);
    if (known !== undefined) return known;
    const sameType = shapes.filter(([first]) => kernelDtype(first!.kvDtype) === kernelDtype(heads.kvDtype));
    const nearest = least(sameType, ([first]) =>
      Math.hypot(
        first!.numHeads - heads.numHeads,
        first!.numKvHeads - heads.numKvHeads,
        first!.headDim - heads.headDim,
      ),
    );
    chosen.set(key, nearest ?? []);
    return nearest ?? [];
  };
}

function headsShape(asked: AttentionHeads, found: AttentionHeads): (readonly [number, number])[] {
  return [
    [asked.numHeads, found.numHeads],
    [asked.numKvHeads, found.numKvHeads],
    [asked.headDim, found.headDim],
  ];
}

function sequence(row: object): number {
  return "seqLen" in row && typeof row.seqLen === "number" ? row.seqLen : 0;
}

function headsKey({ numHeads, numKvHeads, headDim, kvDtype }: AttentionHeads): string {
  return `${numHeads} ${numKvHeads} ${headDim} ${kernelDtype(kvDtype)}`;
}

/** The last of ascending rows that is not above `limit`, else the first; null when there is none. */
function lastUpTo<Row extends TableRow>(
  ascending: readonly Row[],
  numberOf: (row: Row) => number,
  limit: number,
): Row | null {
  let found = ascending[0] ?? null;
  for (const row of ascending) if (numberOf(row) <= limit) found = row;
  return found;
}

/** The first entry with the smallest value; null when there is none. */
function least<T>(entries: readonly T[], numberOf: (entry: T) => number): T | null {
  let best: T | null = null;
  let bestValue = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    const value = numberOf(entry);
    if (value >= bestValue) continue;
    best = entry;
    bestValue = value;
  }
  return best;
}

/** A choice among tables, made once per shape. */
function remembered<T>(choose: (dtype: string, k: number, n: number) => T): (dtype: string, k: number, n: number) => T {
  const made = new Map<string, T>();
  return (dtype, k, n) => {
    const key = `${dtype} ${k} ${n}`;
    const known = made.get(key) ?? choose(dtype, k, n);
    made.set(key, known);
    return known;
  };
}
