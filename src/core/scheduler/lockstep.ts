import type { KvCache } from "../kv/kvCache.js";
import type { Request } from "../request/request.js";
import { FinishRing } from "./finishRing.js";
import { OrderIndex } from "./orderIndex.js";
import type { RunningList } from "./runningList.js";
import type { ScheduledStep } from "./scheduledStep.js";
import type { SchedulerConfig } from "./schedulerConfig.js";
import { numTokensWanted } from "./tokensWanted.js";

/**
 * Told of a request that leaves the lockstep before its end.
 * @param numTokens tokens that it got there
 * @param numBefore requests whose token came before its own in the step that was updated last
 */
export type SettledListener = (request: Request, numTokens: number, numBefore: number) => void;

/**
 * Running requests that get one token in every step until their last: known by their number, the sum and the maximum
 * of their contexts, and the step at which each one's last row comes. A step costs the same however many there are.
 *
 * Steps with members are numbered: *ticks*. A member's own fields stay as they were when it joined; settling writes into
 * them what the ticks since have done. KV blocks are counted by the cache (`KvCache.advanceLockstep`).
 */
export class Lockstep {
  readonly #running: RunningList;
  readonly #kv: KvCache;
  readonly #maxNumSeqs: number;
  /** Steps sent and not delivered, oldest first. */
  readonly #inFlight: ScheduledStep[] = [];
  #lastDelivered: ScheduledStep | null = null;
  /** Members by position in `running`; renumbered when positions run out. */
  readonly #order: OrderIndex;
  #nextPosition = 0;
  readonly #finishing = new FinishRing();
  #size = 0;
  /** Ticks scheduled, and ticks whose tokens were delivered. */
  #numTicks = 0;
  #numDelivered = 0;
  #sumContextTokens = 0;
  /** Largest of the members' contexts less the ticks: a constant of each member. */
  #maxContextBase = Number.NEGATIVE_INFINITY;
  #isMaxStale = false;

  constructor(running: RunningList, kv: KvCache, maxNumSeqs: number) {
    this.#running = running;
    this.#kv = kv;
    this.#maxNumSeqs = maxNumSeqs;
    this.#order = new OrderIndex(powerOfTwoFrom(4 * maxNumSeqs));
  }

  /** Members. */
  get size(): number {
    return this.#size;
  }

  /** Σ over members of the tokens whose KV the last tick reads or writes. */
  get sumContextTokens(): number {
    return this.#sumContextTokens;
  }

  /**
   * Largest context among the members of the last tick, its token included; O(running) when the longest has left since.
   * To be asked before `leaveFinishing`.
   */
  get maxContextTokens(): number {
    if (this.#isMaxStale) this.#findMax();
    return this.#maxContextBase + this.#numTicks;
  }

  /** Whether there are members, or requests that had their last row in a step in flight. */
  get hasRequests(): boolean {
    if (this.#size > 0) return true;
    for (let i = 0; i < this.#inFlight.length; i++) if (this.#inFlight[i]!.tick >= 0) return true;
    return false;
  }

  /**
   * Plans a step that is one token for each member and nothing more, and sends it: what `beforeStep`, `advance` and
   * `send` do, for a stretch of steps in which nothing else happens.
   * Pre-condition: nobody waits, and nobody has a row of their own.
   * @returns false when there are no members, one has its last row now, or tokens or blocks do not suffice for all; then
   *   nothing has changed
   */
  tickAlone(step: ScheduledStep, maxNumBatchedTokens: number): boolean {
    const size = this.#size;
    if (size === 0 || size > maxNumBatchedTokens) return false;
    if (this.#finishing.first(this.#numTicks) !== null) return false;
    this.#kv.lockstepLag = this.#inFlight.length;
    if (!this.#kv.advanceLockstep()) return false;
    this.#sumContextTokens += size;
    step.clear();
    step.tick = this.#numTicks++;
    step.numLockstep = size;
    step.numRequests = size;
    step.batch.pushLockstep(size, this.#sumContextTokens, this.maxContextTokens);
    this.#inFlight.push(step);
    return true;
  }

  /** A step is about to be planned. */
  beforeStep(): void {
    this.#kv.lockstepLag = this.#inFlight.length;
    // Positions for all that it may admit.
    if (this.#nextPosition + this.#maxNumSeqs > this.#order.capacity) this.#renumber();
  }

  /** A step was planned. */
  send(step: ScheduledStep): void {
    if (step.numRequests > 0) this.#inFlight.push(step);
  }

  /** A request was admitted, the last in `running`. */
  place(request: Request): void {
    request.position = this.#nextPosition++;
  }

  /** Members that stand before a running request. */
  numBefore(request: Request): number {
    return this.#order.countBelow(request.position);
  }

  /** The last row of a request was planned: from the next tick on it gets a token a tick. @param numTicks ≥ 1 */
  join(request: Request, numTicks: number): void {
    const tick = this.#numTicks;
    request.firstTick = tick;
    request.lastTick = tick + numTicks - 1;
    this.#finishing.add(request, numTicks);
    this.#size++;
    this.#order.change(request.position, 1);
    this.#sumContextTokens += request.numComputedTokens;
    const base = request.numComputedTokens - tick;
    if (base > this.#maxContextBase || this.#size === 1) {
      this.#maxContextBase = base;
      this.#isMaxStale = false;
    }
    this.#kv.joinLockstep(request.kv, request.numComputedTokens);
  }

  /**
   * Blocks that a step needs to give all what they want, where only the last in order gets fewer tokens than it wants,
   * and who has a row stands behind all members (of equal blocks the cache finds the one that was there first).
   * @param listed running requests with rows of their own
   * @returns NaN where that is not so
   */
  numBlocksToAdvance(listed: readonly Request[], config: SchedulerConfig): number {
    let numTokensLeft = config.maxNumBatchedTokens - this.#size;
    let numBlocks = this.#kv.numLockstepBlocks;
    if (numTokensLeft < 0) return Number.NaN;
    for (let i = 0; i < listed.length; i++) {
      const request = listed[i]!;
      const numNewTokens = numTokensWanted(request, config, numTokensLeft);
      const isCut = numNewTokens >= numTokensLeft;
      if (isCut && request !== this.#running.last) return Number.NaN;
      if (numNewTokens <= 0) continue;
      if (this.#kv.config.enablePrefixCaching && this.numBefore(request) < this.#size) return Number.NaN;
      numBlocks += this.#kv.numBlocksToGrow(request.kv, request.numComputedTokens + numNewTokens);
      numTokensLeft -= numNewTokens;
    }
    return numBlocks;
  }

  /**
   * One token for each member, counted in the step; those with their last row are listed there.
   * Pre-condition: the cache has `numLockstepBlocks` free.
   */
  advance(step: ScheduledStep): void {
    this.#kv.advanceLockstep();
    step.tick = this.#numTicks++;
    step.numLockstep = this.#size;
    this.#sumContextTokens += this.#size;
    let request = this.#finishing.first(step.tick);
    while (request !== null) {
      const next: Request | null = request.nextFinishing;
      request.nextFinishing = null;
      step.addFinishing(request, this.numBefore(request));
      request = next;
    }
    this.#finishing.clearTick(step.tick);
  }

  /** Those whose last row is in the step just planned get no more; they stay resident until it is delivered. */
  leaveFinishing(step: ScheduledStep): void {
    for (let i = 0; i < step.numFinishing; i++) {
      const request = step.finishing[i]!;
      this.#leave(request);
      this.#kv.leaveLockstep(request.kv);
    }
  }

  /** A member of the last tick is counted no more. */
  #leave(request: Request): void {
    const base = request.numComputedTokens - request.firstTick;
    this.#size--;
    this.#sumContextTokens -= base + this.#numTicks;
    this.#order.change(request.position, -1);
    if (base === this.#maxContextBase) this.#isMaxStale = true;
  }

  /** The tokens of the oldest step have come back. */
  deliver(step: ScheduledStep): void {
    if (this.#inFlight[0] === step) this.#inFlight.shift();
    this.#lastDelivered = step;
    if (step.tick < 0) return;
    this.#kv.lockstepLag = this.#inFlight.length;
    this.#numDelivered = step.tick + 1;
  }

  /**
   * Gives all of them rows of their own again, in steps in flight too. O(running).
   * @param listed becomes the list of all running requests
   */
  settleAll(listed: Request[], hasPlaceholders: boolean, onSettled: SettledListener | null): void {
    if (!this.hasRequests) return;
    if (onSettled !== null && this.#lastDelivered !== null) this.#tellSettled(this.#lastDelivered, onSettled);
    for (const step of this.#inFlight) if (step.tick >= 0) step.listLockstep(this.#running);
    listed.length = 0;
    for (let request = this.#running.first; request !== null; request = request.nextRunning) {
      if (request.firstTick >= 0) this.settle(request, hasPlaceholders);
      listed.push(request);
    }
    this.#size = 0;
    this.#sumContextTokens = 0;
    this.#isMaxStale = false;
    this.#order.clear();
    this.#finishing.clear();
  }

  /**
   * Gives the last in `running` rows of its own again, in steps in flight too, where it is a member or its last row is in
   * flight; the others stay. O(rows).
   */
  settleLast(hasPlaceholders: boolean, onSettled: SettledListener | null): void {
    const request = this.#running.last!;
    if (request.firstTick < 0) return;
    const delivered = this.#lastDelivered;
    if (delivered !== null && request.isInTick(delivered.tick)) {
      const row = delivered.listLast(request, 1);
      const numBefore = delivered.numLockstepBefore[row]! + numRowsWithTokens(delivered, row);
      onSettled?.(request, delivered.tick - request.firstTick + 1, numBefore);
    }
    for (const step of this.#inFlight) if (request.isInTick(step.tick)) step.listLast(request, 0);
    if (request.lastTick >= this.#numTicks) {
      this.#leave(request);
      this.#finishing.remove(request);
    }
    this.settle(request, hasPlaceholders);
  }

  /** Walks the tokens of a step in the order in which they were sent. */
  #tellSettled(step: ScheduledStep, onSettled: SettledListener): void {
    const { tick, numFinishing, finishingIndex } = step;
    let index = 0;
    let numEnded = 0;
    let numRowsBefore = 0;
    let row = 0;
    for (let request = this.#running.first; request !== null; request = request.nextRunning) {
      if (!request.isInTick(tick)) continue;
      while (numEnded < numFinishing && finishingIndex[numEnded] === index) {
        index++;
        numEnded++;
      }
      for (; row < step.numRows && step.numLockstepBefore[row]! <= index; row++) {
        if (step.numTokensOut[row]! > 0) numRowsBefore++;
      }
      onSettled(request, tick - request.firstTick + 1, index + numRowsBefore);
      index++;
    }
  }

  /** Writes what its ticks did so far into a member, or one whose last row is in flight; it is neither from now on. */
  settle(request: Request, hasPlaceholders: boolean): void {
    const { firstTick, lastTick } = request;
    const numScheduled = Math.min(this.#numTicks, lastTick + 1) - firstTick;
    const numDelivered = Math.max(0, Math.min(this.#numDelivered, lastTick + 1) - firstTick);
    request.numComputedTokens += numScheduled;
    request.numOutputTokens += numDelivered;
    if (hasPlaceholders) request.numOutputPlaceholders += numScheduled - numDelivered;
    if (lastTick >= this.#numTicks) this.#kv.leaveLockstep(request.kv);
    request.firstTick = -1;
    request.nextFinishing = null;
  }

  #findMax(): void {
    let max = Number.NEGATIVE_INFINITY;
    for (let request = this.#running.first; request !== null; request = request.nextRunning) {
      if (request.firstTick < 0 || request.lastTick < this.#numTicks - 1) continue;
      const base = request.numComputedTokens - request.firstTick;
      if (base > max) max = base;
    }
    this.#maxContextBase = max;
    this.#isMaxStale = false;
  }

  #renumber(): void {
    this.#order.clear();
    this.#nextPosition = 0;
    for (let request = this.#running.first; request !== null; request = request.nextRunning) {
      request.position = this.#nextPosition++;
      if (request.firstTick >= 0 && request.lastTick >= this.#numTicks) this.#order.change(request.position, 1);
    }
  }
}

/** How many of a delivered step's first rows brought a token. */
function numRowsWithTokens(step: ScheduledStep, numRows: number): number {
  let num = 0;
  for (let row = 0; row < numRows; row++) if (step.numTokensOut[row]! > 0) num++;
  return num;
}

function powerOfTwoFrom(least: number): number {
  let power = 1;
  while (power < least) power *= 2;
  return power;
}
