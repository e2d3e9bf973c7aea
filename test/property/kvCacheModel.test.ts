import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KvSequence } from "../../src/core/request/kvSequence.js";
import { BlockPool } from "../reference/blockKv/blockPool.js";
import { BlockTable } from "../reference/blockKv/blockTable.js";
import { KvCacheManager } from "../reference/blockKv/kvCacheManager.js";
import { NaiveKvCache } from "../reference/naiveKvCache.js";

const SEED = 4_242;

class TracingBlockPool extends BlockPool {
  readonly evicted: number[] = [];

  protected override evict(blockId: number): void {
    this.evicted.push(blockId);
    super.evict(blockId);
  }
}

/** A sequence, and how far it has come when it is resident. */
interface Resident {
  readonly sequence: KvSequence;
  readonly numPromptTokens: number;
  numKnownTokens: number;
  numComputedTokens: number;
  isResident: boolean;
}

interface Model {
  readonly naive: NaiveKvCache;
  readonly residents: readonly Resident[];
  /** Hits so far: shows that the cache was exercised. */
  numHits: number;
  numShortages: number;
}

type Command = fc.Command<Model, KvCacheManager>;

function expectEqual(model: Model, real: KvCacheManager): void {
  const pool = real.pool as TracingBlockPool;
  expect(pool.numFreeBlocks).toBe(model.naive.free.length);
  expect(pool.evicted).toEqual(model.naive.evicted);
  for (const { sequence } of model.residents) {
    expect(BlockTable.of(sequence).toArray()).toEqual([...model.naive.blockTable(sequence)]);
  }
  for (let blockId = 1; blockId < pool.numGpuBlocks; blockId++) {
    expect(pool.refCnt(blockId)).toBe(model.naive.refCnt(blockId));
  }
}

/** Admits a sequence that is not resident, or computes and generates more tokens of one that is. */
function advance(index: number, want: number, lookahead: number, dropsLastBlock: boolean, toLeave: number): Command {
  return {
    check: () => true,
    run: (model, real) => {
      const resident = model.residents[index]!;
      const { sequence } = resident;
      let isGranted: boolean;
      if (resident.isResident) {
        const { numComputedTokens: computed, numKnownTokens: known } = resident;
        isGranted = real.grow(sequence, computed, want, lookahead, known);
        expect(isGranted).toBe(model.naive.grow(sequence, computed, want, lookahead, known));
      } else {
        const hits = model.naive.findHits(sequence, resident.numKnownTokens, dropsLastBlock);
        const numHits = real.findHits(sequence, resident.numKnownTokens, dropsLastBlock);
        expect(numHits).toBe(hits.length);
        resident.numComputedTokens = numHits * real.config.blockSize;
        isGranted = real.admit(sequence, numHits, want, resident.numKnownTokens, toLeave);
        expect(isGranted).toBe(model.naive.admit(sequence, hits, want, resident.numKnownTokens, toLeave));
        if (isGranted) model.numHits += numHits;
        resident.isResident = isGranted;
      }
      if (isGranted) {
        resident.numComputedTokens += want;
        resident.numKnownTokens = Math.max(resident.numKnownTokens, resident.numComputedTokens);
      } else {
        model.numShortages++;
      }
      expectEqual(model, real);
    },
    toString: () => `advance(${index}, ${want}, ${lookahead}, ${dropsLastBlock}, ${toLeave})`,
  };
}

function register(index: number, numBehind: number): Command {
  return {
    check: (model) => model.residents[index]!.isResident,
    run: (model, real) => {
      const { sequence, numComputedTokens } = model.residents[index]!;
      const numTokens = Math.max(0, numComputedTokens - numBehind);
      real.register(sequence, numTokens);
      model.naive.register(sequence, numTokens);
      expectEqual(model, real);
    },
    toString: () => `register(${index}, ${numBehind})`,
  };
}

/** Releases a sequence; as a preempted one it keeps what it generated, as a finished one it starts afresh. */
function free(index: number, keepsOutput: boolean): Command {
  return {
    check: (model) => model.residents[index]!.isResident,
    run: (model, real) => {
      const resident = model.residents[index]!;
      real.free(resident.sequence);
      model.naive.release(resident.sequence);
      resident.isResident = false;
      resident.numComputedTokens = 0;
      if (!keepsOutput) resident.numKnownTokens = resident.numPromptTokens;
      expectEqual(model, real);
    },
    toString: () => `free(${index}, ${keepsOutput})`,
  };
}

const NUM_SEQUENCES = 5;

const indexArbitrary = fc.integer({ min: 0, max: NUM_SEQUENCES - 1 });
const commandsArbitrary = fc.commands(
  [
    fc
      .tuple(
        indexArbitrary,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 0, max: 2 }),
        fc.boolean(),
        fc.integer({ min: 0, max: 1 }),
      )
      .map((fields) => advance(...fields)),
    fc.tuple(indexArbitrary, fc.integer({ min: 0, max: 3 })).map((fields) => register(...fields)),
    fc.tuple(indexArbitrary, fc.boolean()).map((fields) => free(...fields)),
  ],
  { maxCommands: 60, size: "max" },
);

const setupArbitrary = fc.record({
  numGpuBlocks: fc.integer({ min: 2, max: 14 }),
  blockSize: fc.integer({ min: 1, max: 4 }),
  enablePrefixCaching: fc.boolean(),
  slidingWindow: fc.option(fc.integer({ min: 1, max: 9 }), { nil: 0, freq: 2 }),
});

/** Prompts that share a prefix of 7 tokens, end with the same content, or differ in their adapter alone. */
function sequences(): Resident[] {
  const shared = { contentId: 1, numTokens: 7 };
  const prompts = [
    { segments: [shared, { contentId: 2, numTokens: 3 }], adapter: null },
    { segments: [shared, { contentId: 3, numTokens: 5 }], adapter: null },
    { segments: [{ contentId: 1, numTokens: 10 }], adapter: null },
    { segments: [shared, { contentId: 2, numTokens: 3 }], adapter: "other" },
    { segments: [shared, { contentId: 2, numTokens: 3 }], adapter: null },
  ];
  return prompts.map(({ segments, adapter }, index) => {
    const numPromptTokens = segments.reduce((sum, segment) => sum + segment.numTokens, 0);
    // The first and the last are one prompt with one output: equal down to the generated tokens.
    const sequence = new KvSequence(segments, index === 4 ? 100 : 100 + index, adapter);
    return {
      sequence,
      numPromptTokens,
      numKnownTokens: numPromptTokens,
      numComputedTokens: 0,
      isResident: false,
    };
  });
}

describe("the KV cache", () => {
  it("equals the naive allocator, block id for block id, whatever is done to it", () => {
    let numHits = 0;
    let numShortages = 0;
    let numEvicted = 0;
    fc.assert(
      fc.property(setupArbitrary, commandsArbitrary, (config, commands) => {
        const model: Model = {
          naive: new NaiveKvCache(config.numGpuBlocks, config),
          residents: sequences(),
          numHits: 0,
          numShortages: 0,
        };
        const real = new KvCacheManager(new TracingBlockPool(config.numGpuBlocks), config);
        fc.modelRun(() => ({ model, real }), commands);
        numHits += model.numHits;
        numShortages += model.numShortages;
        numEvicted += model.naive.evicted.length;
      }),
      { seed: SEED, numRuns: 400 },
    );
    expect(numHits).toBeGreaterThan(300);
    expect(numShortages).toBeGreaterThan(300);
    expect(numEvicted).toBeGreaterThan(300);
  });
});
