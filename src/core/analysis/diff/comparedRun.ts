import type { RunConfig } from "../../engine/runConfig.js";
import type { RunSummary } from "../../engine/simulate.js";
import type { RequestStatus } from "../../metrics/requestRecord.js";
import type { ExplainReport } from "../explainReport.js";

/** The numbers of a run, or of a point of a sweep, that are compared. */
export type ComparedNumbers = Pick<
  RunSummary,
  "requests" | "ttftMs" | "tpotMs" | "itlMs" | "gapMs" | "e2eMs" | "queueMs" | "throughput" | "engine" | "regime"
>;

/** The parts of a run's summary that are compared. */
export interface ComparedSummary extends ComparedNumbers, Pick<RunSummary, "version" | "bottleneck"> {
  readonly config: Partial<RunConfig>;
}

/** One request of a run that is compared; times are NaN where the thing never happened. */
export interface ComparedRequest {
  readonly id: string;
  readonly status: RequestStatus;
  readonly arrivalUs: number;
  readonly numPromptTokens: number;
  /** What its client asked for. */
  readonly maxTokens: number;
  /** From arrival to the first schedule, to the first token and to the last one, ms: they add up to E2E. */
  readonly waitingMs: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
  /** Mean gap between its tokens, ms; NaN below two. */
  readonly interTokenMs: number;
}

/** One side of a comparison. */
export interface ComparedRun {
  /** What the user calls it. */
  readonly name: string;
  readonly summary: ComparedSummary;
  /** null where only the summary is there. */
  readonly requests: readonly ComparedRequest[] | null;
  /** What its step log came to; null without one. */
  readonly steps: Pick<ExplainReport, "components" | "bounds" | "phases"> | null;
}
