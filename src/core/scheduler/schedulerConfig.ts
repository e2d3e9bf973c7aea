/** What decides a schedule, in vLLM's names; all resolved, nothing left to default. */
export interface SchedulerConfig {
  /** Upper bound of running (resident) requests, ≥ 1. */
  readonly maxNumSeqs: number;
  /** Token budget of one step, ≥ maxNumSeqs; with chunked prefill off also ≥ maxModelLen, or a preempted request may never resume. */
  readonly maxNumBatchedTokens: number;
  /** Longest prompt plus output in tokens. */
  readonly maxModelLen: number;
  readonly enableChunkedPrefill: boolean;
  /** Most tokens one request gets in a step; 0 = no limit. */
  readonly longPrefillTokenThreshold: number;
  readonly schedulingPolicy: "fcfs" | "priority";
  /** Chunked prefill off and a waiting prompt exceeds what is left of the budget: end admission, or try the next. */
  readonly noChunkRule: "stop" | "skip";
  /** Plan a step before the results of the one in flight are known, with placeholders for its tokens. */
  readonly asyncScheduling: boolean;
  /** Drafts attached to each request after a step that yields; 0 = no speculative decoding. */
  readonly numSpecTokens: number;
  /** EAGLE or MTP style drafter: it keeps KV of its own drafts, so slots are reserved ahead and one hit block is lost. */
  readonly specUsesDraftKv: boolean;
  /** Distinct LoRA adapters per step; 0 = no limit. */
  readonly maxLoras: number;
  /** Free blocks an admission must leave; 0 = none, as vLLM's default. */
  readonly watermarkBlocks: number;
}

/** What a scheduler may be told besides its config. */
export interface SchedulerOptions {
  /**
   * Whether requests that decode may go in lockstep, without rows of their own (see `Lockstep`): the same schedule in
   * time that does not grow with their number. Takes effect without drafts and LoRA limits, with at most two steps in
   * flight.
   */
  readonly useLockstep?: boolean;
}

/** A config with vLLM's defaults for everything but the limits. */
export function schedulerConfig(
  fields: Pick<SchedulerConfig, "maxNumSeqs" | "maxNumBatchedTokens" | "maxModelLen"> & Partial<SchedulerConfig>,
): SchedulerConfig {
  return {
    enableChunkedPrefill: true,
    longPrefillTokenThreshold: 0,
    schedulingPolicy: "fcfs",
    noChunkRule: "stop",
    asyncScheduling: false,
    numSpecTokens: 0,
    specUsesDraftKv: false,
    maxLoras: 0,
    watermarkBlocks: 0,
    ...fields,
  };
}
