/** Stable machine-readable kind of an error; the CLI maps it to an exit code. */
export type ErrorCode = "config" | "data-file" | "capacity" | "invariant";

/**
 * Base of every error roofserve throws on purpose. The message says what happened, where, and what to do.
 * Core never logs or exits: it throws one of these, or returns a value for an expected shortage.
 */
export abstract class SimulationError extends Error {
  abstract readonly code: ErrorCode;

  constructor(message: string) {
    super(message);
    this.name = new.target.name;
  }
}

/** One thing wrong with a config: where, what was given, what is allowed. */
export interface ConfigIssue {
  /** Dotted path of the option, e.g. `engine.maxNumSeqs`, or a flag, e.g. `--gpu`. */
  readonly path: string;
  /** What was given, printed. */
  readonly received: string;
  /** What would be accepted, and if useful what to do. */
  readonly allowed: string;
}

/** The configuration cannot be used; lists every problem found, not just the first. */
export class ConfigError extends SimulationError {
  readonly code = "config";
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[]) {
    super(issues.map((issue) => `${issue.path}: got ${issue.received}; ${issue.allowed}`).join("\n"));
    this.issues = issues;
  }
}

/** Where in a data file something is wrong; row and column count from 1, as an editor shows them. */
export interface DataLocation {
  readonly file: string;
  readonly row?: number;
  readonly column?: string;
}

/** A trace, result or table file is malformed. */
export class DataFileError extends SimulationError {
  readonly code = "data-file";
  readonly location: DataLocation;

  constructor(location: DataLocation, problem: string) {
    const row = location.row === undefined ? "" : `, row ${location.row}`;
    const column = location.column === undefined ? "" : `, column ${location.column}`;
    super(`${location.file}${row}${column}: ${problem}`);
    this.location = location;
  }
}

/** The plan cannot work: weights do not fit, or a request can never be scheduled. */
export class CapacityError extends SimulationError {
  readonly code = "capacity";
  readonly neededBytes: number;
  readonly availableBytes: number;

  /** @param knobs options that would help, most useful first */
  constructor(problem: string, neededBytes: number, availableBytes: number, knobs: readonly string[]) {
    super(
      `${problem}: needs ${formatGib(neededBytes)}, available ${formatGib(availableBytes)}; try ${knobs.join(", or ")}`,
    );
    this.neededBytes = neededBytes;
    this.availableBytes = availableBytes;
  }
}

/** A broken invariant: a bug in roofserve, never the user's fault. */
export class InvariantError extends SimulationError {
  readonly code = "invariant";
}

function formatGib(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(2)} GiB (${Math.round(bytes)} bytes)`;
}
