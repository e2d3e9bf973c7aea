import type { KvCache } from "../kv/kvCache.js";
import type { Request } from "../request/request.js";
import { commitStep } from "./commitStep.js";
import { deliverTokens } from "./deliverTokens.js";
import { dropUnlisted, takeLeastDeserving } from "./listedRequests.js";
import { Lockstep, type SettledListener } from "./lockstep.js";
import { LoraSlots } from "./loraSlots.js";
import { type RequestLengths, rejectionReason } from "./rejectionReason.js";
import { RunningList } from "./runningList.js";
import { ROW_NEW, ROW_RESUMED, ROW_RUNNING, type ScheduledStep } from "./scheduledStep.js";
import type { SchedulerConfig, SchedulerOptions } from "./schedulerConfig.js";
import { numTokensAdmitted, numTokensWanted } from "./tokensWanted.js";
import { FcfsQueue, UrgencyQueue, type WaitingQueue } from "./waitingQueue.js";

/** Passes after one that the lockstep could not do in which every request keeps a row of its own: the next is near. */
const PASSES_IN_ROWS = 8;

/**
 * vLLM's V1 scheduler. A pass first moves running requests on, in the order of their admission, then admits waiting
 * ones while the token budget, maxNumSeqs and the KV cache allow; a running request that finds no block preempts
 * another. Call `schedule`, run the step, call `update`, oldest step first; with asynchronous scheduling or pipeline
 * parallelism several steps may be between the two.
 *
 * The same inputs give the same schedule, whatever the wall clock. No call allocates in proportion to its step.
 *
 * A request that decodes undisturbed needs no row: the lockstep counts it. Who is preempted for want of blocks leaves it
 * alone; what would disturb it otherwise (a shortage under the priority policy or of tokens, an abort) first gives all of
 * them their rows back, and those that steps in flight would have had.
 *
 * Where it departs from vLLM on purpose:
 * - A request that can never fit is named by `rejectionReason`; vLLM would preempt and retry it for ever.
 * - Ties are broken by order of arrival, where vLLM compares arrival times and then ids.
 * - The two defects of v0.11.0 (a wasted step past maxTokens, a withdrawn victim's tokens lost) are not reproduced.
 * - Requests set aside return to the front of the queue in every version; from v0.16 vLLM keeps them in a queue of their own.
 * - After a stop that discards accepted drafts, contents beyond the last known token are not registered.
 * - Tokens are never looked at: no end-of-sequence, grammar, prompt log-probs, encoder inputs or remote KV.
 *
 * @see vLLM v1/core/sched/scheduler.py `schedule`, `update_from_output`; async_scheduler.py
 */
export class Scheduler {
  readonly config: SchedulerConfig;
  readonly kv: KvCache;
  readonly #isPriority: boolean;
  /** Slots reserved beyond the tokens of a running request, for the drafter. */
  readonly #numLookaheadTokens: number;
  /** All resident requests. */
  readonly #running = new RunningList();
  /** Those with rows of their own, in order of admission: all but the ones in lockstep and those whose last row is in flight. */
  readonly #listed: Request[] = [];
  readonly #lockstep: Lockstep | null;
  /** Told of each request that leaves the lockstep before its end, for whoever keeps the clock. */
  onSettled: SettledListener | null = null;
  /** Passes for which nobody joins the lockstep. */
  #numPassesInRows = 0;
  readonly #waiting: WaitingQueue;
  readonly #loras: LoraSlots;
  /** Requests passed over in the current admission pass. */
  readonly #setAside: Request[] = [];
  /** Tokens left in the step being planned. */
  #numTokensLeft = 0;

  constructor(config: SchedulerConfig, kv: KvCache, { useLockstep = false }: SchedulerOptions = {}) {
    this.config = config;
    this.kv = kv;
    const hasRowsOnly = config.numSpecTokens > 0 || config.maxLoras > 0;
    this.#lockstep = useLockstep && !hasRowsOnly ? new Lockstep(this.#running, kv, config.maxNumSeqs) : null;
    this.#isPriority = config.schedulingPolicy === "priority";
    this.#numLookaheadTokens = config.specUsesDraftKv ? config.numSpecTokens : 0;
    this.#waiting = this.#isPriority ? new UrgencyQueue() : new FcfsQueue();
    this.#loras = new LoraSlots(config.maxLoras);
  }

  /** Resident requests, in order of admission; allocates, for inspection only. */
  get running(): readonly Request[] {
    return this.#running.toArray();
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
    if (request.firstTick >= 0) this.settle();
    if (request.status === "running") {
      this.#running.remove(request);
      this.#listed.splice(this.#listed.indexOf(request), 1);
    } else this.#waiting.remove(request);
    request.status = "aborted";
    this.kv.free(request.kv);
    return true;
  }

  /** Plans the next step; an empty one is legal. O(rows + admitted + blocks of prompts looked up). */
  schedule(step: ScheduledStep): void {
    const lockstep = this.#lockstep;
    if (lockstep !== null && this.#listed.length === 0 && this.#waiting.length === 0) {
      if (lockstep.tickAlone(step, this.config.maxNumBatchedTokens)) return;
    }
    step.clear();
    this.#numTokensLeft = this.config.maxNumBatchedTokens;
    lockstep?.beforeStep();
    if (lockstep === null || !lockstep.hasRequests) this.#advanceRunning(step);
    else if (this.#makeRoom(lockstep, step)) this.#advanceTogether(lockstep, step);
    else {
      this.settle();
      this.#numPassesInRows = PASSES_IN_ROWS;
      this.#advanceRunning(step);
    }
    // Blocks just taken from a victim must not go to a newcomer.
    if (step.numPreempted === 0 && this.#waiting.length > 0) this.#admitWaiting(step);
    commitStep(step, this.config);
    if (lockstep !== null) this.#joinLockstep(lockstep, step);
  }

  /** Applies a completed step, the oldest in flight: output tokens, finishes, freed blocks. O(rows). */
  update(step: ScheduledStep): void {
    step.numFinished = 0;
    this.#lockstep?.deliver(step);
    if (step.numRows === 0 && step.numFinishing === 0) return;
    let hasFinishedWaiting = false;
    let numEnded = 0;
    for (let row = 0; row < step.numRows; row++) {
      const numBefore = step.numLockstepBefore[row]!;
      while (numEnded < step.numFinishing && step.finishingIndex[numEnded]! < numBefore) {
        this.#finishLockstep(step, step.finishing[numEnded++]!);
      }
      const request = step.requests[row]!;
      if (step.isSampled[row] === 0 || request.isDone) continue;
      const isPreempted = request.status !== "running";
      if (!deliverTokens(step, row, this.config, this.kv)) continue;
      this.#finish(step, request);
      if (isPreempted) hasFinishedWaiting = true;
      else this.#running.remove(request);
    }
    while (numEnded < step.numFinishing) this.#finishLockstep(step, step.finishing[numEnded++]!);
    if (step.numFinished === 0) return;
    dropUnlisted(this.#listed);
    // Its last token was in flight when it was preempted: it never resumes.
    if (hasFinishedWaiting) for (let i = 0; i < step.numFinished; i++) this.#waiting.remove(step.finished[i]!);
  }

  /** Gives everyone in lockstep a row of their own again, in steps in flight too. O(running). */
  settle(): void {
    this.#lockstep?.settleAll(this.#listed, this.config.asyncScheduling, this.onSettled);
  }

  /**
   * Preempts the last admitted until blocks suffice for the others: a plain pass, which preempts when one of them finds
   * none, ends with the same. Whoever goes leaves fewer blocks to find and never fewer tokens, so only the first look can
   * find that the lockstep cannot do this step.
   * @returns false in that case: nothing has changed
   */
  #makeRoom(lockstep: Lockstep, step: ScheduledStep): boolean {
    for (;;) {
      const numBlocks = lockstep.numBlocksToAdvance(this.#listed, this.config);
      if (numBlocks <= this.kv.numFreeBlocks) return true;
      if (Number.isNaN(numBlocks) || this.#isPriority) return false;
      const victim = this.#running.last!;
      if (victim.firstTick < 0) this.#listed.length--;
      else lockstep.settleLast(this.config.asyncScheduling, this.onSettled);
      this.#running.remove(victim);
      this.#preempt(victim, step);
    }
  }

  /** The lockstep's token each, and rows for the others: all get what they want. */
  #advanceTogether(lockstep: Lockstep, step: ScheduledStep): void {
    this.#numTokensLeft -= lockstep.size;
    if (lockstep.size > 0) lockstep.advance(step);
    step.numRequests = lockstep.size;
    for (let i = 0; i < this.#listed.length; i++) {
      const request = this.#listed[i]!;
      const numNewTokens = numTokensWanted(request, this.config, this.#numTokensLeft);
      if (numNewTokens <= 0) continue;
      this.kv.grow(request.kv, request.numComputedTokens, numNewTokens, 0, request.numTokens);
      this.#numTokensLeft -= numNewTokens;
      step.push(request, numNewTokens, ROW_RUNNING, 0, 0);
      step.numLockstepBefore[step.numRows - 1] = lockstep.numBefore(request);
    }
  }

  /** Completes the batch, and lets go in lockstep who will decode from the next step on. */
  #joinLockstep(lockstep: Lockstep, step: ScheduledStep): void {
    if (step.numLockstep > 0) {
      step.batch.pushLockstep(step.numLockstep, lockstep.sumContextTokens, lockstep.maxContextTokens);
      lockstep.leaveFinishing(step);
    }
    lockstep.send(step);
    if (this.#numPassesInRows > 0) {
      this.#numPassesInRows--;
      return;
    }
    let hasJoined = false;
    for (let row = 0; row < step.numRows; row++) {
      if (step.isSampled[row] === 0) continue;
      const request = step.requests[row]!;
      const numOutputTokens = request.numComputedTokens + 1 - request.numPromptTokens;
      const numTicks = request.numTokensToGenerate(this.config.maxModelLen) - numOutputTokens;
      if (numTicks <= 0) continue;
      lockstep.join(request, numTicks);
      hasJoined = true;
    }
    if (hasJoined) dropUnlisted(this.#listed);
  }

  #finish(step: ScheduledStep, request: Request): void {
    request.status = "finished";
    this.kv.free(request.kv);
    step.finished[step.numFinished++] = request;
  }

  #finishLockstep(step: ScheduledStep, request: Request): void {
    this.#lockstep!.settle(request, this.config.asyncScheduling);
    this.kv.register(request.kv, request.numComputedTokens);
    this.#running.remove(request);
    this.#finish(step, request);
  }

  /** Running requests first, by position, not by phase: a long prefill may stand before decodes. */
  #advanceRunning(step: ScheduledStep): void {
    const listed = this.#listed;
    const maxModelLen = this.config.maxModelLen;
    let index = 0;
    while (index < listed.length && this.#numTokensLeft > 0) {
      const request = listed[index++]!;
      const numNewTokens = numTokensWanted(request, this.config, this.#numTokensLeft);
      if (numNewTokens <= 0) continue;
      const numSlotsToEnd = maxModelLen - request.numComputedTokens - numNewTokens;
      const numLookahead = Math.min(this.#numLookaheadTokens, numSlotsToEnd);
      while (!this.kv.grow(request.kv, request.numComputedTokens, numNewTokens, numLookahead, request.numTokens)) {
        const victim = takeLeastDeserving(this.#listed, this.#isPriority);
        this.#running.remove(victim);
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
      const numNewTokens = numTokensAdmitted(request.numTokens - numHitTokens, this.config, this.#numTokensLeft);
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

  #start(request: Request, step: ScheduledStep, numNewTokens: number, numHitTokens: number): void {
    const isFirstAdmission = request.status === "waiting";
    if (isFirstAdmission) request.numCachedTokens = numHitTokens;
    request.status = "running";
    request.numComputedTokens = numHitTokens;
    request.numPrefillTokens = request.numTokens;
    this.#running.push(request);
    this.#listed.push(request);
    step.push(request, numNewTokens, isFirstAdmission ? ROW_NEW : ROW_RESUMED, numHitTokens, 0);
    if (this.#lockstep === null) return;
    this.#lockstep.place(request);
    step.numLockstepBefore[step.numRows - 1] = step.numLockstep;
  }

  /** A resident request that is not in this step needs no slot. */
  #countLorasInUse(step: ScheduledStep): void {
    this.#loras.clear();
    for (let row = 0; row < step.numRows; row++) this.#loras.use(step.requests[row]!.lora);
  }
}
