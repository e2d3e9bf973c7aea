import type { Deployment } from "../../src/core/engine/createServer.js";
import type { RunConfig } from "../../src/core/engine/runConfig.js";
import type { StreamedResult } from "../../src/core/engine/simulate.js";
import type { Workload } from "../../src/core/workload/workload.js";

/** What a case measures, told before it is prepared. */
interface CaseBase {
  readonly name: string;
  /** One line: what runs, and what the figure means. */
  readonly what: string;
  /** Repetitions unless `--repeats` says otherwise. */
  readonly repeats: number;
  /** Takes minutes, so that it runs only when it is named. */
  readonly onlyWhenNamed?: boolean;
}

/** A simulation in this process, from the first arrival to the summary. */
export interface SimulationCase extends CaseBase {
  readonly kind: "simulation";
  /** False where the reference engine would take longer than anybody waits. */
  readonly isCompared?: boolean;
  readonly prepare: () => Promise<PreparedSimulation>;
}

/** A process, from its start to its end. */
export interface ProcessCase extends CaseBase {
  readonly kind: "process";
  /** Arguments of `roofserve`; null = what it needs is not there, and `what` says what. */
  readonly args: readonly string[] | null;
  /** Requests that it simulates; null = none. */
  readonly numRequests: number | null;
  /** Limit of its JavaScript heap, MiB; with it, the peak of its memory is measured. */
  readonly heapMiB?: number;
}

/** A function that is called many times. */
export interface CallCase extends CaseBase {
  readonly kind: "call";
  /** Makes the calls of one repetition. @returns a number that depends on all of them */
  readonly prepare: () => { readonly numCalls: number; readonly call: () => number };
}

/** Simulations that differ in one number: how the cost grows with it. */
export interface GrowthCase extends CaseBase {
  readonly kind: "growth";
  readonly sizes: readonly number[];
  readonly prepare: (size: number) => Promise<PreparedSimulation>;
  /** The cost whose growth is told: of the whole simulation, or of one engine step of it. */
  readonly costOf: "run" | "step";
}

export type BenchCase = SimulationCase | ProcessCase | CallCase | GrowthCase;

/** A simulation that can be repeated. */
export interface PreparedSimulation {
  readonly deployment: Deployment;
  readonly config: RunConfig;
  readonly openWorkload: () => Workload;
  /** What the reader should know of this preparation, or null. */
  readonly note: string | null;
}

/** An engine: from a deployment and a workload to the result. */
export type Engine = (deployment: Deployment, config: RunConfig, workload: Workload) => StreamedResult;

/** Runs a prepared simulation once on an engine. */
export function runOn(engine: Engine, { deployment, config, openWorkload }: PreparedSimulation): StreamedResult {
  return engine(deployment, config, openWorkload());
}
