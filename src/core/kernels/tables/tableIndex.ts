import { type Operator, operatorBytes } from "../../model/operator.js";
import type { GpuRoofs } from "../gpuRoofs.js";
import type { KernelModel } from "../kernelModel.js";
import type { TableRow } from "./kernelTable.js";
import { type GridAxis, LatencyGrid } from "./latencyGrid.js";
import { physicalFloor } from "./physicalFloor.js";
import { groupRows, preferMeasured, type RowCounts, type TableReading } from "./tableReading.js";

/** How the rows of one kernel family become grids. */
export interface TableLayout<Row extends TableRow> {
  /** Rows with the same key share a grid. */
  keyOf(row: Row): string;
  /** Coordinates within the grid. */
  at(row: Row): readonly number[];
  readonly axes: readonly GridAxis[];
  /** The operator a row measured. */
  operatorOf(row: Row): Operator;
  /** Physical floor, µs, of the shape at these coordinates, in the kernel `row` was measured on. */
  floorUs(row: Row, at: readonly number[]): number;
  /** That shape as an operator, its numbers rounded up where only whole ones make sense. */
  operatorAt(row: Row, at: readonly number[]): Operator;
}

interface IndexedGrid {
  readonly grid: LatencyGrid;
  readonly source: TableRow["source"];
}

/** A row this much faster than the floor still counts as on it: floors are sums of rounded datasheet numbers. */
const FLOOR_SLACK = 1e-6;
/** From this many L2 sizes on a kernel's data must come from memory. */
export const STREAMED_L2_SIZES = 2;

/** What of a GPU decides which rows can be believed, and how far they carry. */
export interface TableGpu {
  readonly roofs: GpuRoofs;
  readonly l2Bytes: number;
  /** Knows how prices change with shape: where no row is, as many times its price as the rows nearby are of theirs. */
  readonly model: KernelModel;
}

/**
 * The grids of one kernel family, each built when it is first asked for. Left out are rows faster than physics,
 * and rows that fit in the L2 cache and beat every row that does not: their benchmark reused its data.
 */
export class TableIndex<Row extends TableRow> {
  readonly counts: RowCounts = {
    usedRows: 0,
    impossibleRows: 0,
    cacheResidentRows: 0,
    smoothedRows: 0,
  };
  readonly #layout: TableLayout<Row>;
  readonly #gpu: TableGpu;
  readonly #rows: Map<string, Row[]>;
  readonly #grids = new Map<string, IndexedGrid | null>();

  constructor(rows: readonly Row[], gpu: TableGpu, layout: TableLayout<Row>) {
    this.#layout = layout;
    this.#gpu = gpu;
    this.#rows = groupRows(rows, (row) => layout.keyOf(row));
  }

  /** @returns null when no usable row has that key */
  read(key: string, at: readonly number[]): TableReading | null {
    const indexed = this.grid(key);
    if (indexed === null) return null;
    const { us, isExtrapolated } = indexed.grid.read(at);
    return { us, isExtrapolated, launchUs: indexed.grid.launchUs, source: indexed.source };
  }

  /** Largest |ln| by which a coordinate lies beyond the rows of that key; null where `read` is null. */
  lnDistance(key: string, at: readonly number[]): number | null {
    return this.grid(key)?.grid.lnDistance(at) ?? null;
  }

  grid(key: string): IndexedGrid | null {
    const known = this.#grids.get(key);
    if (known !== undefined) return known;
    const built = this.#build(this.#rows.get(key) ?? []);
    this.#grids.set(key, built);
    return built;
  }

  #build(all: readonly Row[]): IndexedGrid | null {
    const { axes } = this.#layout;
    const rows = preferMeasured(all);
    const usable = this.#usableRows(rows);
    const [first] = usable;
    if (first === undefined) return null;
    const points = usable.map((row) => ({ at: this.#layout.at(row), us: row.latencyUs }));
    const grid = new LatencyGrid(
      points,
      axes,
      (at) => this.#layout.floorUs(first, at),
      (at) => this.#gpu.model.price(this.#layout.operatorAt(first, at)).us,
    );
    this.counts.usedRows += grid.numRows;
    this.counts.smoothedRows += grid.numSmoothedRows;
    return { grid, source: first.source };
  }

  #usableRows(rows: readonly Row[]): Row[] {
    const { roofs, l2Bytes } = this.#gpu;
    const sized = rows.map((row) => {
      const operator = this.#layout.operatorOf(row);
      const { us, boundBy } = physicalFloor(operator, roofs);
      return {
        row,
        efficiency: us / row.latencyUs,
        isMemoryBound: boundBy === "memory",
        bytes: operatorBytes(operator),
      };
    });
    const possible = sized.filter(({ efficiency }) => efficiency <= 1 + FLOOR_SLACK);
    const streamed = possible.filter(
      ({ isMemoryBound, bytes }) => isMemoryBound && bytes > STREAMED_L2_SIZES * l2Bytes,
    );
    const bestStreamed = streamed.reduce((best, { efficiency }) => Math.max(best, efficiency), 0);
    const usable = possible.filter(({ isMemoryBound, bytes, efficiency }) => {
      return bestStreamed === 0 || !isMemoryBound || bytes > l2Bytes || efficiency <= bestStreamed;
    });
    this.counts.impossibleRows += sized.length - possible.length;
    this.counts.cacheResidentRows += possible.length - usable.length;
    return usable.map(({ row }) => row);
  }
}
