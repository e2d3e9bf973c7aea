import type { Holding } from "./holding.js";

/**
 * How far the members of the lockstep are. Each has so many tokens more than there were advances, the same until it
 * leaves; which of them need a block follows from how many there are per residue of their tokens modulo block size.
 */
export class Lockstep {
  readonly #blockSize: number;
  /** Last slot tokens of each member that are not known yet. */
  lag = 0;
  #numAdvances = 0;
  /** `#numAdvances` modulo block size. */
  #phase = 0;
  #numJoined = 0;
  /** `[blockSize]`: members, and how many, by residue. */
  readonly #firstMember: (Holding | null)[];
  readonly #numMembers: Int32Array;

  constructor(blockSize: number) {
    this.#blockSize = blockSize;
    this.#firstMember = new Array<Holding | null>(blockSize).fill(null);
    this.#numMembers = new Int32Array(blockSize);
  }

  /** Members whose slots fill their blocks: each takes one at the next advance. */
  get numBlocks(): number {
    return this.#numMembers[this.#residueOf(0)]!;
  }

  advance(): void {
    this.#numAdvances++;
    this.#phase = this.#phase + 1 === this.#blockSize ? 0 : this.#phase + 1;
  }

  numSlotTokens(member: Holding): number {
    return member.numTokensAhead + this.#numAdvances;
  }

  /** Tokens whose full blocks are findable, at least 0. */
  numKnownTokens(member: Holding): number {
    return Math.max(0, member.numTokensAhead + this.#numAdvances - this.lag);
  }

  join(member: Holding, numSlotTokens: number): void {
    member.numTokensAhead = numSlotTokens - this.#numAdvances;
    member.joinNumber = this.#numJoined++;
    const residue = this.#residueOf(numSlotTokens % this.#blockSize);
    member.residue = residue;
    this.#numMembers[residue]!++;
    const next = this.#firstMember[residue] as Holding | null;
    member.nextMember = next;
    if (next !== null) next.previousMember = member;
    this.#firstMember[residue] = member;
  }

  leave(member: Holding): void {
    const { residue, previousMember, nextMember } = member;
    this.#numMembers[residue]!--;
    if (previousMember === null) this.#firstMember[residue] = nextMember;
    else previousMember.nextMember = nextMember;
    if (nextMember !== null) nextMember.previousMember = previousMember;
    member.previousMember = null;
    member.nextMember = null;
  }

  /** The members with these slot tokens modulo block size, as a list by `nextMember`. */
  firstMemberWith(numTokensOver: number): Holding | null {
    return this.#firstMember[this.#residueOf(numTokensOver)] as Holding | null;
  }

  /** @param numTokensOver slot tokens modulo block size, now */
  #residueOf(numTokensOver: number): number {
    const residue = numTokensOver - this.#phase;
    return residue < 0 ? residue + this.#blockSize : residue;
  }
}
