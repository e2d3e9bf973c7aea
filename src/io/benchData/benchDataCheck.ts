import type { MfuFinding } from "./mfuPeak.js";
import type { BenchFamily } from "./tableFamily.js";

/** How bad: an `error` row would give wrong prices, a `warning` is worth knowing, a `note` explains. */
export type CheckSeverity = "note" | "warning" | "error";

export type CheckKind =
  | "unreadable"
  | "bad-cell"
  | "no-header"
  | "bad-name"
  | "unknown-gpu"
  | "other-device"
  | "no-latency"
  | "duplicate"
  | "falling"
  | "faster-than-physics"
  | "cache-resident"
  | "input-not-quantised"
  | "mfu-peak"
  | "mfu-above-one"
  | "mfu-disagrees"
  | "mfu-rounding";

/** One thing found in a table. */
export interface CheckFinding {
  readonly severity: CheckSeverity;
  readonly kind: CheckKind;
  readonly message: string;
  /** Lines of the file it is about, from 1; may be empty. */
  readonly rows: readonly number[];
}

export interface TableCheck {
  /** Relative to the folder. */
  readonly path: string;
  readonly family: BenchFamily;
  readonly gpuFolder: string;
  /** Null when no known GPU has that name. */
  readonly gpuId: string | null;
  /** Sound rows. */
  readonly numRows: number;
  readonly mfu: readonly MfuFinding[];
  readonly findings: readonly CheckFinding[];
}

export interface BenchDataCheck {
  readonly dir: string;
  readonly tables: readonly TableCheck[];
  /** CSV files outside the layout, not looked at. */
  readonly strayFiles: readonly string[];
  /** The worst finding; `none` when there is nothing to say. A table folder without any table is an error. */
  readonly severity: "none" | CheckSeverity;
}
