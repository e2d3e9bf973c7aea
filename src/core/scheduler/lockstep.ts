import type { KvCache } from "../kv/kvCache.js";
import type { Request } from "../request/request.js";
import { OrderIndex } from "./orderIndex.js";
import type { RunningList } from "./runningList.js";
import type { ScheduledStep } from "./scheduledStep.js";
import type { SchedulerConfig } from "./schedulerConfig.js";
import { numTokensWanted } from "./tokensWanted.js";

/** Steps ahead the finishing ring first has room for; it doubles when an output is longer. */
const FIRST_RING_SLOTS = 1024;

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
  /** Head of the list of members whose last row comes at tick t, at t mod length. */
  #finishing: (Request | null)[];
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
    this.#finishing = new Array<Request | null>(FIRST_RING_SLOTS).fill(null);
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
    if (numTicks > this.#finishing.length) this.#growRing(numTicks);
    const tick = this.#numTicks;
    request.firstTick = tick;
    request.lastTick = tick + numTicks - 1;
    const slot = request.lastTick & (this.#finishing.length - 1);
    request.nextFinishing = this.#finishing[slot]!;
    this.#finishing[slot] = request;
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
   * Whether a step can give all what they want: nobody needs another's block, only the last in order gets fewer tokens
   * than it wants, and who has a row stands behind all members (of equal blocks the cache finds the one that was there
   * first).
   * @param listed running requests with rows of their own
   */
  canAdvance(listed: readonly Request[], config: SchedulerConfig): boolean {
    let numTokensLeft = config.maxNumBatchedTokens - this.#size;
    let numBlocks = this.#kv.numLockstepBlocks;
    if (numTokensLeft < 0) return false;
    for (let i = 0; i < listed.length; i++) {
      const request = listed[i]!;
      const numNewTokens = numTokensWanted(request, config, numTokensLeft);
      const isCut = numNewTokens >= numTokensLeft;
      if (isCut && request !== this.#running.last) return false;
      if (numNewTokens <= 0) continue;
      if (this.#kv.config.enablePrefixCaching && this.numBefore(request) < this.#size) return false;
      numBlocks += this.#kv.numBlocksToGrow(request.kv, request.numComputedTokens + numNewTokens);
      numTokensLeft -= numNewTokens;
    }
    return numBlocks <= this.#kv.numFreeBlocks;
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
    const slot = step.tick & (this.#finishing.length - 1);
    let request = this.#finishing[slot] ?? null;
    while (request !== null) {
      const next: Request | null = request.nextFinishing;
      request.nextFinishing = null;
      step.addFinishing(request, this.numBefore(request));
      request = next;
    }
    this.#finishing[slot] = null;
  }

  /** Those whose last row is in the step just planned get no more; they stay resident until it is delivered. */
  leaveFinishing(step: ScheduledStep): void {
    for (let i = 0; i < step.numFinishing; i++) {
      const request = step.finishing[i]!;
      const contextTokens = request.numComputedTokens + request.lastTick - request.firstTick + 1;
      this.#size--;
      this.#sumContextTokens -= contextTokens;
      this.#order.change(request.position, -1);
      if (contextTokens - this.#numTicks === this.#maxContextBase) this.#isMaxStale = true;
      this.#kv.leaveLockstep(request.kv);
    }
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
    this.#finishing.fill(null);
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

  #growRing(numTicks: number): void {
    const old = this.#finishing;
    const grown = new Array<Request | null>(powerOfTwoFrom(numTicks)).fill(null);
    for (let head of old) {
      while (head !== null) {
        const next: Request | null = head.nextFinishing;
        const slot = head.lastTick & (grown.length - 1);
        head.nextFinishing = grown[slot]!;
        grown[slot] = head;
        head = next;
      }
    }
    this.#finishing = grown;
  }
}

function powerOfTwoFrom(least: number): number {
  let power = 1;
  while (power < least) power *= 2;
  return power;
}
