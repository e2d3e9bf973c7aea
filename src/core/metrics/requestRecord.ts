/** How a request ended. */
export type RequestStatus = "completed" | "rejected" | "aborted" | "unfinished";

/**
 * Everything that happened to one request, as its client sees it; all other outputs are functions of these records.
 * Times are µs from the start of the run; NaN where the thing never happened.
 */
export interface RequestRecord {
  readonly id: string;
  readonly sessionId: string | null;
  readonly status: RequestStatus;
  /** Why it was rejected or aborted, else null. */
  readonly reason: string | null;
  readonly arrivalUs: number;
  /** First time the scheduler gave it tokens. */
  readonly firstScheduledUs: number;
  readonly firstTokenUs: number;
  readonly lastTokenUs: number;
  /** Time between acceptance by the engine core and first schedule. */
  readonly queueUs: number;
  readonly numPromptTokens: number;
  /** Prompt tokens served from the prefix cache at first admission. */
  readonly numCachedTokens: number;
  readonly numOutputTokens: number;
  readonly numPreemptions: number;
}
