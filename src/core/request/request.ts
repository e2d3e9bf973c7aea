import { KvSequence } from "./kvSequence.js";
import type { RequestSpec } from "./requestSpec.js";

/**
 * Where a request stands in the scheduler. `preempted` sits in the waiting queue with its output kept;
 * `finished` reached maxTokens or max-model-len; `aborted` was taken out before that.
 */
export type SchedulingStatus = "waiting" | "running" | "preempted" | "finished" | "aborted";

/**
 * A request inside the engine. There is no prefill or decode phase: each step moves `numComputedTokens` towards
 * `numTokens + numDraftTokens + numOutputPlaceholders`. Names are vLLM's; counts are tokens.
 */
export class Request {
  readonly spec: RequestSpec;
  readonly id: string;
  /** Order of arrival, unique within a run: breaks every tie. */
  readonly arrivalSequence: number;
  /** Lower is more urgent; only the priority policy looks. */
  readonly priority: number;
  readonly lora: string | null;
  readonly numPromptTokens: number;
  /** Output tokens after which it finishes, ≥ 1. */
  readonly maxTokens: number;

  status: SchedulingStatus = "waiting";
  /** Tokens whose KV is written or being written: advanced when a step is scheduled, not when it completes. */
  numComputedTokens = 0;
  /** Output tokens the scheduler has seen. */
  numOutputTokens = 0;
  /** Tokens that steps in flight will bring and the scheduler has not seen (async scheduling only). */
  numOutputPlaceholders = 0;
  /** Speculative tokens waiting to be verified. */
  numDraftTokens = 0;
  /** Known tokens when it was last admitted: a row that starts at or beyond them is a decode. */
  numPrefillTokens: number;
  /** Tokens served from the prefix cache at the first admission. */
  numCachedTokens = 0;
  numPreemptions = 0;
  /** Σ of `numComputedTokens` at each preemption: work done twice, unless the prefix cache still has it. */
  numRecomputedTokens = 0;

  /** Neighbours among the running, in order of admission; for `RunningList`. */
  previousRunning: Request | null = null;
  nextRunning: Request | null = null;
  /** What `Lockstep` keeps of a member: ticks of its first (−1 = no member) and last row, place in the order, list link. */
  firstTick = -1;
  lastTick = -1;
  position = 0;
  nextFinishing: Request | null = null;

  /** Its tokens and blocks, for the KV cache. */
  readonly kv: KvSequence;
  /** Draws how many drafts the model would accept in a verifying step (capped by the drafts in it); null = none. */
  readonly drawAcceptedDrafts: (() => number) | null;

  /** Times in µs from the start of the run, filled by the engine; NaN until they happen. */
  enterUs = Number.NaN;
  queuedUs = Number.NaN;
  firstScheduledUs = Number.NaN;
  firstTokenUs = Number.NaN;
  lastTokenUs = Number.NaN;
  /** Output tokens that reached the client before it gave up. */
  numSeenTokens = 0;
  /** Its client has all it will ever get. */
  hasEnded = false;

  /**
   * @param arrivalSequence strictly increasing over the requests of a run
   * @param drawAcceptedDrafts called once per step that verifies drafts of this request
   */
  constructor(spec: RequestSpec, arrivalSequence: number, drawAcceptedDrafts: (() => number) | null = null) {
    this.spec = spec;
    this.id = spec.id;
    this.arrivalSequence = arrivalSequence;
    this.priority = spec.priority;
    this.lora = spec.lora;
    this.numPromptTokens = spec.numPromptTokens;
    this.maxTokens = spec.maxTokens;
    this.numPrefillTokens = spec.numPromptTokens;
    this.kv = new KvSequence(spec.promptSegments, spec.outputContentId, spec.lora);
    this.drawAcceptedDrafts = drawAcceptedDrafts;
  }

  /** Output tokens after which it finishes: `maxTokens`, or where max-model-len ends it. */
  numTokensToGenerate(maxModelLen: number): number {
    return Math.min(this.maxTokens, maxModelLen - this.numPromptTokens);
  }

  /** Whether it has a token in this tick of the lockstep. */
  isInTick(tick: number): boolean {
    return this.firstTick >= 0 && this.firstTick <= tick && tick <= this.lastTick;
  }

  /** Known tokens: prompt plus output seen so far. */
  get numTokens(): number {
    return this.numPromptTokens + this.numOutputTokens;
  }

  /** Finished or aborted: no step changes it any more. */
  get isDone(): boolean {
    return this.status === "finished" || this.status === "aborted";
  }
}
