import type { KvCache } from "../../../src/core/kv/kvCache.js";
import type { Request } from "../../../src/core/request/request.js";
import { commitStep } from "../../../src/core/scheduler/commitStep.js";
import { deliverTokens } from "../../../src/core/scheduler/deliverTokens.js";
import { LoraSlots } from "../../../src/core/scheduler/loraSlots.js";
import { type RequestLengths, rejectionReason } from "../../../src/core/scheduler/rejectionReason.js";
import { ROW_NEW, ROW_RESUMED, ROW_RUNNING, type ScheduledStep } from "../../../src/core/scheduler/scheduledStep.js";
import type { SchedulerConfig } from "../../../src/core/scheduler/schedulerConfig.js";
import { byUrgency, FcfsQueue, UrgencyQueue, type WaitingQueue } from "../../../src/core/scheduler/waitingQueue.js";

/**
 * vLLM's V1 scheduler as it stands there: every running request has a row in every step and is looked at for it.
 * Slow on purpose; what `Scheduler` plans with and without its lockstep must equal this.
 * @see vLLM v1/core/sched/scheduler.py `schedule`, `update_from_output`; async_scheduler.py
 */
export class PlainScheduler {
  readonly config: SchedulerConfig;
  readonly kv: KvCache;
  readonly #isPriority: boolean;
  /** Slots reserved beyond the tokens of a running request, for the drafter. */
  readonly #numLookaheadTokens: number;
  /** In order of admission. */
  readonly #running: Request[] = [];
  readonly #waiting: WaitingQueue;
  readonly #loras: LoraSlots;
  /** Requests passed over in the current admission pass. */
  readonly #setAside: Request[] = [];
  /** Tokens left in the step being planned. */
  #numTokensLeft = 0;

  constructor(config: SchedulerConfig, kv: KvCache) {
    this.config = config;
    this.kv = kv;
    this.#isPriority = config.schedulingPolicy === "priority";
    this.#numLookaheadTokens = config.specUsesDraftKv ? config.numSpecTokens : 0;
    this.#waiting = this.#isPriority ? new UrgencyQueue() : new FcfsQueue();
    this.#loras = new LoraSlots(config.maxLoras);
  }

  /** Resident requests, in order of admission; valid until the next call that changes them. */
  get running(): readonly Request[] {
    return this.#running;
  }

  get numRunning(): number {
    return this.#running.length;
  }

  /** Requests waiting for admission, preempted ones included. */
  get numWaiting(): number {
    return this.#waiting.length;
  }

  /** Whether a `schedule` could have something to do, now or when a step in flight completes. */
  get hasRequests(): boolean {
    return this.#running.length > 0 || this.#waiting.length > 0;
  }

  /** Share of the KV blocks that requests hold, 0–1. */
  get kvUsageFraction(): number {
    return this.kv.usageFraction;
  }

  /** Waiting requests in the order they will be tried; allocates, for inspection only. */
  waitingInOrder(): Request[] {
    return this.#waiting.toArray();
  }

  /** Why this request can never be served, null when it can; ask before `add`. */
  rejectionReason(lengths: RequestLengths): string | null {
    return rejectionReason(lengths, this.config, this.kv);
  }

  /** A request arrives; pre-condition: `rejectionReason` is null. */
  add(request: Request): void {
    this.#waiting.add(request);
  }

  /**
   * Takes a request out and frees its blocks at once; results of steps in flight no longer count for it.
   * @returns false when it was already done
   */
  abort(request: Request): boolean {
    if (request.isDone) return false;
    if (request.status === "running") this.#running.splice(this.#running.indexOf(request), 1);
    else this.#waiting.remove(request);
    request.status = "aborted";
    this.kv.free(request.kv);
    return true;
  }

  /** Plans the next step; an empty one is legal. O(running + admitted + blocks of prompts looked up). */
  schedule(step: ScheduledStep): void {
    step.clear();
    this.#numTokensLeft = this.config.maxNumBatchedTokens;
    this.#advanceRunning(step);
    // Blocks just taken from a victim must not go to a newcomer.
    if (step.numPreempted === 0 && this.#waiting.length > 0) this.#admitWaiting(step);
    commitStep(step, this.config);
  }

  /** Applies a completed step, the oldest in flight: output tokens, finishes, freed blocks. O(rows). */
  update(step: ScheduledStep): void {
    step.numFinished = 0;
    let hasFinishedWaiting = false;
    for (let row = 0; row < step.numRequests; row++) {
      const request = step.requests[row]!;
      if (step.isSampled[row] === 0 || request.isDone) continue;
      const isPreempted = request.status !== "running";
      if (!deliverTokens(step, row, this.config, this.kv)) continue;
      request.status = "finished";
      this.kv.free(request.kv);
      step.finished[step.numFinished++] = request;
      if (isPreempted) hasFinishedWaiting = true;
    }
    if (step.numFinished === 0) return;
    this.#dropFinishedRunning();
    // Its last token was in flight when it was preempted: it never resumes.
    if (hasFinishedWaiting) for (let i = 0; i < step.numFinished; i++) this.#waiting.remove(step.finished[i]!);
  }

  /** Running requests first, by position, not by phase: a long prefill may stand before decodes. */
  #advanceRunning(step: ScheduledStep): void {
    const running = this.#running;
    const maxModelLen = this.config.maxModelLen;
    let index = 0;
    while (index < running.length && this.#numTokensLeft > 0) {
      const request = running[index++]!;
      const numNewTokens = this.#numTokensWanted(request);
      if (numNewTokens <= 0) continue;
      const numSlotsToEnd = maxModelLen - request.numComputedTokens - numNewTokens;
      const numLookahead = Math.min(this.#numLookaheadTokens, numSlotsToEnd);
      while (!this.kv.grow(request.kv, request.numComputedTokens, numNewTokens, numLookahead, request.numTokens)) {
        const victim = this.#takeVictim();
        const row = this.#isPriority ? step.rowOf(victim) : -1;
        if (row >= 0) {
          this.#numTokensLeft += step.withdraw(row);
          index--;
        }
        this.#preempt(victim, step);
        if (victim === request) return;
      }
      this.#numTokensLeft -= numNewTokens;
      let numDraftTokens = 0;
      if (request.numDraftTokens > 0) {
        // A budget that cuts the request short keeps the first drafts.
        const numBeyondKnown =
          numNewTokens + request.numComputedTokens - request.numTokens - request.numOutputPlaceholders;
        numDraftTokens = Math.max(numBeyondKnown, 0);
        request.numDraftTokens = 0;
      }
      step.push(request, numNewTokens, ROW_RUNNING, 0, numDraftTokens);
    }
  }

  /** Tokens a running request gets if blocks allow; ≤ 0 when it has nothing to do in this step. */
  #numTokensWanted(request: Request): number {
    const config = this.config;
    const numPlaceholders = request.numOutputPlaceholders;
    const numComputed = request.numComputedTokens;
    // Its last token is in flight already, even if every draft is rejected.
    if (numPlaceholders > 0 && numComputed + 2 - numPlaceholders >= request.numPromptTokens + request.maxTokens)
      return 0;
    let numWanted = request.numTokens + request.numDraftTokens + numPlaceholders - numComputed;
    const threshold = config.longPrefillTokenThreshold;
    if (threshold > 0 && numWanted > threshold) numWanted = threshold;
    if (numWanted > this.#numTokensLeft) numWanted = this.#numTokensLeft;
    // The token at maxModelLen is generated but never fed back.
    const numToEnd = config.maxModelLen - 1 - numComputed;
    return Math.min(numWanted, numToEnd);
  }

  /** Removes the least deserving request from the running ones: the last admitted, or the least urgent. */
  #takeVictim(): Request {
    const running = this.#running;
    if (!this.#isPriority) return running.pop()!;
    let worst = 0;
    for (let i = 1; i < running.length; i++) if (byUrgency(running[i]!, running[worst]!) > 0) worst = i;
    const victim = running[worst]!;
    running.copyWithin(worst, worst + 1);
    running.length--;
    return victim;
  }

  /** Sends a request back to the queue: its output is kept, its KV is not. */
  #preempt(request: Request, step: ScheduledStep): void {
    this.kv.free(request.kv);
    request.numRecomputedTokens += request.numComputedTokens;
    request.numComputedTokens = 0;
    request.numDraftTokens = 0;
    request.numPreemptions++;
    request.status = "preempted";
    this.#waiting.putBack(request);
    step.preempted[step.numPreempted++] = request;
  }

  /** Admits from the head of the queue until something runs out; nobody overtakes a head that lacks blocks. */
  #admitWaiting(step: ScheduledStep): void {
    const waiting = this.#waiting;
    const loras = this.#loras;
    if (!loras.isUnlimited) this.#countLorasInUse(step);
    while (waiting.length > 0 && this.#numTokensLeft > 0 && this.#running.length < this.config.maxNumSeqs) {
      const request = waiting.front()!;
      if (!loras.canUse(request.lora)) {
        this.#setAside.push(waiting.popFront()!);
        continue;
      }
      const numHits = this.kv.findHits(request.kv, request.numTokens, this.config.specUsesDraftKv);
      const numHitTokens = numHits * this.kv.config.blockSize;
      const numNewTokens = this.#numTokensAdmitted(request.numTokens - numHitTokens);
      if (numNewTokens === 0) {
        if (this.config.noChunkRule === "stop") break;
        this.#setAside.push(waiting.popFront()!);
        continue;
      }
      if (!this.kv.admit(request.kv, numHits, numNewTokens, request.numTokens, this.config.watermarkBlocks)) break;
      waiting.popFront();
      this.#numTokensLeft -= numNewTokens;
      loras.use(request.lora);
      this.#start(request, step, numNewTokens, numHitTokens);
    }
    while (this.#setAside.length > 0) waiting.putBack(this.#setAside.pop()!);
  }

  /** Tokens a waiting request gets of those it lacks; 0 when they may not be split and exceed the budget. */
  #numTokensAdmitted(numMissingTokens: number): number {
    const threshold = this.config.longPrefillTokenThreshold;
    const numWanted = threshold > 0 && numMissingTokens > threshold ? threshold : numMissingTokens;
    if (numWanted <= this.#numTokensLeft) return numWanted;
    return this.config.enableChunkedPrefill ? this.#numTokensLeft : 0;
  }

  #start(request: Request, step: ScheduledStep, numNewTokens: number, numHitTokens: number): void {
    const isFirstAdmission = request.status === "waiting";
    if (isFirstAdmission) request.numCachedTokens = numHitTokens;
    request.status = "running";
    request.numComputedTokens = numHitTokens;
    request.numPrefillTokens = request.numTokens;
    this.#running.push(request);
    step.push(request, numNewTokens, isFirstAdmission ? ROW_NEW : ROW_RESUMED, numHitTokens, 0);
  }

  /** A resident request that is not in this step needs no slot. */
  #countLorasInUse(step: ScheduledStep): void {
    this.#loras.clear();
    for (let row = 0; row < step.numRequests; row++) this.#loras.use(step.requests[row]!.lora);
  }

  #dropFinishedRunning(): void {
    const running = this.#running;
    let numKept = 0;
    for (let i = 0; i < running.length; i++) {
      const request = running[i]!;
      if (!request.isDone) running[numKept++] = request;
    }
    running.length = numKept;
  }
}
