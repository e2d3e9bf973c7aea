import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TokenSegment } from "../../src/core/request/requestSpec.js";
import { Twin, TwinKvCaches, type TwinSetup } from "../reference/twinKvCaches.js";

const SEED = 20_251_204;

/** What may happen next, and how often. */
const KINDS = {
  arrive: 2,
  repeat: 1,
  follow: 2,
  lookUp: 1,
  admit: 4,
  grow: 3,
  draft: 1,
  register: 1,
  free: 3,
  restart: 1,
  join: 3,
  leave: 1,
  advance: 4,
  lag: 1,
} as const;

type Kind = keyof typeof KINDS;

/** To which sequence, and how much of it; mapped to what is possible then. */
const moveArbitrary = fc.record({
  kind: fc.oneof(...Object.entries(KINDS).map(([kind, weight]) => ({ weight, arbitrary: fc.constant(kind as Kind) }))),
  which: fc.nat({ max: 99 }),
  amount: fc.nat({ max: 40 }),
  flag: fc.boolean(),
});

type Move = typeof moveArbitrary extends fc.Arbitrary<infer T> ? T : never;

const setupArbitrary = fc.record({
  numUsableBlocks: fc.oneof(fc.integer({ min: 8, max: 24 }), fc.integer({ min: 24, max: 200 })),
  blockSize: fc.constantFrom(1, 2, 4, 16),
  enablePrefixCaching: fc.constantFrom(true, true, true, true, true, true, true, false),
  /** Prompts are up to so many tokens per segment, so that pools of any size fill up. */
  segmentTokens: fc.constantFrom(3, 10, 40, 200),
});

type Setup = typeof setupArbitrary extends fc.Arbitrary<infer T> ? T : never;

/** Random moves against both caches. */
class Game {
  readonly caches: TwinKvCaches;
  readonly #setup: Setup;
  readonly #twins: Twin[] = [];

  constructor(setup: Setup & TwinSetup) {
    this.#setup = setup;
    this.caches = new TwinKvCaches(setup);
  }

  play(move: Move): void {
    if (move.kind === "arrive" || this.#twins.length === 0) this.#arrive(move);
    else if (move.kind === "repeat") this.#repeat(move);
    else if (move.kind === "follow") this.#follow(move);
    else if (move.kind === "advance") this.#advance(1 + (move.amount % 5));
    else if (move.kind === "lag") this.caches.setLag(move.amount % 3);
    else this.#moveOne(move, this.#pick(move));
  }

  /** Whatever was asked ever must be found equally, and nothing may be lost. */
  end(): void {
    for (const { name, segments, outputContentId, adapter, numPromptTokens } of this.#twins) {
      const again = new Twin(`again ${name}`, segments, outputContentId, adapter);
      this.caches.lookUp(again, numPromptTokens + 50, false);
    }
    for (const twin of this.#twins) if (twin.state !== "waiting") this.caches.free(twin);
    const { fast } = this.caches;
    this.caches.require(fast.numFreeBlocks === fast.numUsableBlocks, "all blocks are free again");
    const all = new Twin(
      "all",
      [{ contentId: 1e12, numTokens: fast.numUsableBlocks * this.caches.blockSize }],
      1,
      null,
    );
    fast.admit(all.fast, 0, all.numPromptTokens, 0, 0);
    this.caches.require(fast.numContentNodes === 0, "nothing is remembered of blocks that are gone");
  }

  #arrive({ which, amount, flag }: Move): void {
    const most = this.#setup.segmentTokens;
    // Contents 0–3, and 10–13, which others generate.
    const first = { contentId: which % 4, numTokens: 1 + (amount % most) };
    const second = { contentId: flag ? 10 + (amount % 4) : 3 - (which % 4), numTokens: 1 + (which % most) };
    const third = { contentId: which % 3, numTokens: 1 };
    const segments = [[first], [first, second], [first, third, second]][which % 3]!;
    this.#add(segments, 10 + (amount % 4), which % 10 === 0 ? "adapter" : null);
  }

  /** The same prompt again, that generates the same. */
  #repeat(move: Move): void {
    const { segments, outputContentId, adapter } = this.#pick(move);
    this.#add(segments, outputContentId, adapter);
  }

  /** A turn that goes on where another sequence is, or where it will be. */
  #follow(move: Move): void {
    const { segments, outputContentId, adapter, numComputedTokens, numPromptTokens } = this.#pick(move);
    if (segments.length > 6) return;
    const numOutput = Math.max(1, numComputedTokens - numPromptTokens + (move.amount % 5) - 2);
    const answered = [...segments, { contentId: outputContentId, numTokens: numOutput }];
    const asked = move.flag ? [...answered, { contentId: move.which % 4, numTokens: 1 + (move.amount % 7) }] : answered;
    this.#add(asked, 10 + (move.which % 4), adapter);
  }

  #add(segments: readonly TokenSegment[], outputContentId: number, adapter: string | null): void {
    this.#twins.push(new Twin(`s${this.#twins.length}`, segments, outputContentId, adapter));
  }

  /** Admissions go to those who wait, the rest to those who hold blocks, as far as there are any. */
  #pick({ kind, which }: Move): Twin {
    const fits = (twin: Twin) =>
      kind === "repeat" ||
      kind === "follow" ||
      (kind === "leave" ? twin.state === "lockstep" : (twin.state === "waiting") === (kind === "admit"));
    const candidates = this.#twins.filter(fits);
    const among = candidates.length > 0 ? candidates : this.#twins;
    return among[which % among.length]!;
  }

  #moveOne({ kind, which, amount, flag }: Move, twin: Twin): void {
    const { caches } = this;
    if (twin.state === "waiting") {
      if (kind === "lookUp")
        caches.lookUp(twin, flag ? twin.numKnownTokens : 1 + (amount % twin.numKnownTokens), which % 2 === 0);
      else if (kind === "admit") caches.admit(twin, which % 3 === 0 ? 1 + amount : 1e6, flag && amount > 30, which % 2);
    } else if (kind === "free" || kind === "restart") {
      caches.free(twin);
      if (kind === "restart") twin.numKnownTokens = twin.numPromptTokens;
    } else if (twin.state === "lockstep") {
      if (kind === "leave") caches.leave(twin);
    } else if (kind === "grow") {
      caches.grow(twin, this.#numTokensToGrow(twin, amount), 0);
    } else if (kind === "draft") {
      caches.grow(twin, 1, amount % 4);
    } else if (kind === "register") {
      caches.register(twin, Math.max(0, twin.numComputedTokens - (amount % 4)));
    } else if (kind === "join" && caches.canJoin(twin)) {
      caches.join(twin);
    }
  }

  /** To the end of the prompt, or a few tokens. */
  #numTokensToGrow({ numKnownTokens, numComputedTokens }: Twin, amount: number): number {
    const numMissing = numKnownTokens - numComputedTokens;
    return numMissing > 0 && amount % 2 === 0 ? numMissing : 1 + (amount % 9);
  }

  #advance(numTimes: number): void {
    const members = this.#twins.filter((twin) => twin.state === "lockstep");
    for (let i = 0; i < numTimes; i++) this.caches.advance(members);
  }
}

describe("the cache of extents", () => {
  it("answers every call as the block-by-block cache does, and took each of its rare ways", () => {
    const totals = new Map<string, number>();
    const add = (name: string, count: number) => totals.set(name, (totals.get(name) ?? 0) + count);
    fc.assert(
      fc.property(setupArbitrary, fc.array(moveArbitrary, { maxLength: 120, size: "max" }), (setup, moves) => {
        const game = new Game(setup);
        for (const move of moves) game.play(move);
        game.end();
        const { fast, numHits, numShortages } = game.caches;
        for (const [name, count] of Object.entries({ ...fast.counts, numHits, numShortages })) add(name, count);
      }),
      { seed: SEED, numRuns: 10_000 },
    );
    for (const [name, count] of totals) expect(count, name).toBeGreaterThan(1000);
  });
});
