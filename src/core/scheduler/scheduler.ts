import type { KvCache } from "../kv/kvCache.js";
import type { Request } from "../request/request.js";
import { commitStep } from "./commitStep.js";
import { deliverTokens } from "./deliverTokens.js";
import { Lockstep } from "./lockstep.js";
import { LoraSlots } from "./loraSlots.js";
import { type RequestLengths, rejectionReason } from "./rejectionReason.js";
import { RunningList } from "./runningList.js";
import { ROW_NEW, ROW_RESUMED, ROW_RUNNING, type ScheduledStep } from "./scheduledStep.js";
import type { SchedulerConfig } from "./schedulerConfig.js";
import { byUrgency, FcfsQueue, UrgencyQueue, type WaitingQueue } from "./waitingQueue.js";

/** Passes after one that the lockstep could not do in which every request keeps a row of its own: the next is near. */
const PASSES_IN_ROWS = 8;

/** What a scheduler may be told besides its config. */
export interface SchedulerOptions {
  /**
   * Whether requests that decode may go in lockstep, without rows of their own (see `Lockstep`): the same schedule in
   * time that does not grow with their number. Takes effect without drafts and LoRA limits, with at most two steps in
   * flight.
   */
  readonly useLockstep?: boolean;
}

/**
 * vLLM's V1 scheduler. A pass first moves running requests on, in the order of their admission, then admits waiting
 * ones while the token budget, maxNumSeqs and the KV cache allow; a running request that finds no block preempts
 * another. Call `schedule`, run the step, call `update`, oldest step first; with asynchronous scheduling or pipeline
 * parallelism several steps may be between the two.
 *
 * The same inputs give the same schedule, whatever the wall clock. No call allocates in proportion to its step.
 *
 * A request that decodes undisturbed needs no row: the lockstep counts it. What would disturb one of them (a shortage
 * of blocks or tokens, an abort) first gives all of them their rows back, and those that steps in flight would have had.
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
  /**
   * Told of each request that leaves the lockstep before its end, for whoever keeps the clock.
   * @param numTokens tokens that it got there
   * @param numBefore requests whose token came before its own in the step that was updated last
   */
  onSettled: ((request: Request, numTokens: number, numBefore: number) => void) | null = null;
  /** Steps scheduled and not updated, oldest first. */
  readonly #inFlight: ScheduledStep[] = [];
  #lastUpdated: ScheduledStep | null = null;
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
    step.clear();
    this.#numTokensLeft = this.config.maxNumBatchedTokens;
    if (this.#lockstep !== null) {
      this.kv.lockstepLag = this.#inFlight.length;
      this.#lockstep.makeRoom(this.config.maxNumSeqs);
    }
    if (this.#lockstep === null || !this.#isInLockstep(this.#lockstep)) this.#advanceRunning(step);
    else if (!this.#advanceTogether(this.#lockstep, step)) {
      this.settle();
      this.#numPassesInRows = PASSES_IN_ROWS;
      this.#advanceRunning(step);
    }
    // Blocks just taken from a victim must not go to a newcomer.
    if (step.numPreempted === 0 && this.#waiting.length > 0) this.#admitWaiting(step);
    commitStep(step, this.config);
    if (this.#lockstep !== null) this.#joinLockstep(this.#lockstep, step);
    if (step.numRequests > 0) this.#inFlight.push(step);
  }

  /** Applies a completed step, the oldest in flight: output tokens, finishes, freed blocks. O(rows). */
  update(step: ScheduledStep): void {
    step.numFinished = 0;
    if (this.#inFlight[0] === step) this.#inFlight.shift();
    this.#lastUpdated = step;
    if (step.tick >= 0) {
      this.kv.lockstepLag = this.#inFlight.length;
      this.#lockstep!.deliver(step.tick);
    }
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
    this.#dropFinishedListed();
    // Its last token was in flight when it was preempted: it never resumes.
    if (hasFinishedWaiting) for (let i = 0; i < step.numFinished; i++) this.#waiting.remove(step.finished[i]!);
  }

  /** Gives everyone in lockstep a row of their own again, in steps in flight too. O(running). */
  settle(): void {
    const lockstep = this.#lockstep;
    if (lockstep === null || !this.#isInLockstep(lockstep)) return;
    this.#tellSettled();
    for (const step of this.#inFlight) if (step.tick >= 0) step.listLockstep(this.#running);
    this.#listed.length = 0;
    for (let request = this.#running.first; request !== null; request = request.nextRunning) {
      if (request.firstTick >= 0) lockstep.settle(request, this.config.asyncScheduling);
      this.#listed.push(request);
    }
    lockstep.clear();
  }

  /** Whether anyone is in lockstep, or was in a step in flight and has had its last row there. */
  #isInLockstep(lockstep: Lockstep): boolean {
    if (lockstep.size > 0) return true;
    for (let i = 0; i < this.#inFlight.length; i++) if (this.#inFlight[i]!.tick >= 0) return true;
    return false;
  }

  /** Tells who has had tokens in lockstep how many came before its last: times are kept by whoever keeps the clock. */
  #tellSettled(): void {
    const step = this.#lastUpdated;
    if (step === null || step.tick < 0 || this.onSettled === null) return;
    const { tick, numFinishing, finishingIndex } = step;
    let index = 0;
    let numEnded = 0;
    let numRowsBefore = 0;
    let row = 0;
    for (let request = this.#running.first; request !== null; request = request.nextRunning) {
      if (request.firstTick < 0 || request.firstTick > tick) continue;
      while (numEnded < numFinishing && finishingIndex[numEnded] === index) {
        index++;
        numEnded++;
      }
      for (; row < step.numRows && step.numLockstepBefore[row]! <= index; row++) {
        if (step.numTokensOut[row]! > 0) numRowsBefore++;
      }
      this.onSettled(request, tick - request.firstTick + 1, index + numRowsBefore);
      index++;
    }
  }

  /**
   * The lockstep's token each, and rows for the others, where all get what they want.
   * @returns false when blocks or tokens do not suffice for that, and then nothing has changed
   */
  #advanceTogether(lockstep: Lockstep, step: ScheduledStep): boolean {
    if (!this.#canAdvanceTogether(lockstep)) return false;
    this.#numTokensLeft -= lockstep.size;
    if (lockstep.size > 0) lockstep.advance(step);
    step.numRequests = lockstep.size;
    for (let i = 0; i < this.#listed.length; i++) {
      const request = this.#listed[i]!;
      const numNewTokens = this.#numTokensWanted(request);
      if (numNewTokens <= 0) continue;
      this.kv.grow(request.kv, request.numComputedTokens, numNewTokens, 0, request.numTokens);
      this.#numTokensLeft -= numNewTokens;
      step.push(request, numNewTokens, ROW_RUNNING, 0, 0);
      step.numLockstepBefore[step.numRows - 1] = lockstep.numBefore(request);
    }
    return true;
  }

  /**
   * Nobody needs another's block, only the last in order gets fewer tokens than it wants, and who has a row stands
   * behind all in lockstep: of equal blocks the cache finds the one that was there first.
   */
  #canAdvanceTogether(lockstep: Lockstep): boolean {
    const numTokens = this.#numTokensLeft;
    let numBlocks = this.kv.numLockstepBlocks;
    this.#numTokensLeft = numTokens - lockstep.size;
    let suffices = this.#numTokensLeft >= 0;
    for (let i = 0; i < this.#listed.length; i++) {
      const request = this.#listed[i]!;
      const numNewTokens = this.#numTokensWanted(request);
      if (numNewTokens <= 0 && this.#numTokensLeft > 0) continue;
      if (numNewTokens <= 0 || numNewTokens === this.#numTokensLeft) suffices &&= request === this.#running.last;
      if (numNewTokens <= 0) continue;
      if (this.kv.config.enablePrefixCaching) suffices &&= lockstep.numBefore(request) === lockstep.size;
      numBlocks += this.kv.numBlocksToGrow(request.kv, request.numComputedTokens + numNewTokens);
      this.#numTokensLeft -= numNewTokens;
    }
    this.#numTokensLeft = numTokens;
    return suffices && numBlocks <= this.kv.numFreeBlocks;
  }

  /** Completes the batch, and lets go in lockstep who will decode from the next step on. */
  #joinLockstep(lockstep: Lockstep, step: ScheduledStep): void {
    if (step.numLockstep > 0) {
      step.batch.pushLockstep(step.numLockstep, lockstep.sumContextTokens, lockstep.maxContextTokens);
      lockstep.leaveFinishing(step);
    }
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
    if (hasJoined) this.#dropJoinedListed();
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
    const listed = this.#listed;
    let worst = listed.length - 1;
    if (this.#isPriority) {
      for (let i = worst - 1; i >= 0; i--) if (byUrgency(listed[i]!, listed[worst]!) > 0) worst = i;
    }
    const victim = listed[worst]!;
    listed.copyWithin(worst, worst + 1);
    listed.length--;
    this.#running.remove(victim);
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

  #dropFinishedListed(): void {
    const listed = this.#listed;
    let numKept = 0;
    for (let i = 0; i < listed.length; i++) if (!listed[i]!.isDone) listed[numKept++] = listed[i]!;
    listed.length = numKept;
  }

  #dropJoinedListed(): void {
    const listed = this.#listed;
    let numKept = 0;
    for (let i = 0; i < listed.length; i++) if (listed[i]!.firstTick < 0) listed[numKept++] = listed[i]!;
    listed.length = numKept;
  }
}
