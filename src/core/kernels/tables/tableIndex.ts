import type { TableRow } from "./kernelTable.js";
import { type GridAxis, LatencyGrid } from "./latencyGrid.js";
import { groupRows, preferMeasured, type RowCounts, type TableReading } from "./tableReading.js";

/** How the rows of one kernel family become grids. */
export interface TableLayout<Row extends TableRow> {
  /** Rows with the same key share a grid. */
  keyOf(row: Row): string;
  /** Coordinates within the grid. */
  at(row: Row): readonly number[];
  readonly axes: readonly GridAxis[];
  /** Physical floor, µs, of the shape at these coordinates, in the kernel `row` was measured on. */
  floorUs(row: Row, at: readonly number[]): number;
}

interface IndexedGrid {
  readonly grid: LatencyGrid;
  readonly source: TableRow["source"];
}

/** A row this much faster than the floor still counts as on it: floors are sums of rounded datasheet numbers. */
const FLOOR_SLACK = 1e-6;

/** The grids of one kernel family, each built when it is first asked for. */
export class TableIndex<Row extends TableRow> {
  readonly counts: RowCounts = { usedRows: 0, impossibleRows: 0, smoothedRows: 0 };
  readonly #layout: TableLayout<Row>;
  readonly #rows: Map<string, Row[]>;
  readonly #grids = new Map<string, IndexedGrid | null>();

  constructor(rows: readonly Row[], layout: TableLayout<Row>) {
    this.#layout = layout;
    this.#rows = groupRows(rows, (row) => layout.keyOf(row));
  }

  /** @returns null when no usable row has that key */
  read(key: string, at: readonly number[]): TableReading | null {
    const indexed = this.grid(key);
    if (indexed === null) return null;
    const { us, isExtrapolated } = indexed.grid.read(at);
    return { us, isExtrapolated, launchUs: indexed.grid.launchUs, source: indexed.source };
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
    const usable = rows.filter((row) => {
      return row.latencyUs >= this.#layout.floorUs(row, this.#layout.at(row)) * (1 - FLOOR_SLACK);
    });
    this.counts.impossibleRows += rows.length - usable.length;
    const [first] = usable;
    if (first === undefined) return null;
    const points = usable.map((row) => ({ at: this.#layout.at(row), us: row.latencyUs }));
    const grid = new LatencyGrid(points, axes, (at) => this.#layout.floorUs(first, at));
    this.counts.usedRows += grid.numRows;
    this.counts.smoothedRows += grid.numSmoothedRows;
    return { grid, source: first.source };
  }
}
