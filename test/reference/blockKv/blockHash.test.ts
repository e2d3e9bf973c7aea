import { describe, expect, it } from "vitest";
import { KvSequence } from "../../../src/core/request/kvSequence.js";
import { extendBlockHashes } from "./blockHash.js";
import { BlockTable } from "./blockTable.js";

const BLOCK_SIZE = 4;

/** The first blocks' hashes, one string each. Segments are [content, tokens]. */
function hashes(segments: [number, number][], numBlocks: number, outputContentId = 99, adapter: string | null = null) {
  const promptSegments = segments.map(([contentId, numTokens]) => ({ contentId, numTokens }));
  const table = new BlockTable(new KvSequence(promptSegments, outputContentId, adapter));
  extendBlockHashes(table, numBlocks, BLOCK_SIZE);
  return hashesOf(table);
}

function hashesOf(table: BlockTable): string[] {
  return Array.from({ length: table.numHashedBlocks }, (_, block) =>
    table.blockHashes.subarray(2 * block, 2 * block + 2).join(":"),
  );
}

describe("extendBlockHashes", () => {
  it("gives equal tokens equal hashes, wherever the prompt goes on", () => {
    expect(hashes([[1, 8]], 2)).toEqual(
      hashes(
        [
          [1, 9],
          [2, 3],
        ],
        2,
      ),
    );
  });

  it("tells generated tokens and the same tokens in a later prompt apart in nothing", () => {
    expect(hashes([[1, 6]], 4, 7)).toEqual(
      hashes(
        [
          [1, 6],
          [7, 10],
        ],
        4,
      ),
    );
  });

  it("differs from the first differing token on, to the end", () => {
    const a = hashes(
      [
        [1, 6],
        [2, 10],
      ],
      4,
    );
    const b = hashes(
      [
        [1, 6],
        [3, 10],
      ],
      4,
    );
    expect(a[0]).toBe(b[0]);
    for (let block = 1; block < 4; block++) expect(a[block]).not.toBe(b[block]);
  });

  it("sees order, position in the content, the adapter and large content ids", () => {
    const variants = [
      hashes([[1, 4]], 1),
      hashes(
        [
          [1, 2],
          [1, 2],
        ],
        1,
      ),
      hashes(
        [
          [1, 2],
          [2, 2],
        ],
        1,
      ),
      hashes(
        [
          [2, 2],
          [1, 2],
        ],
        1,
      ),
      hashes(
        [
          [1, 3],
          [2, 1],
        ],
        1,
      ),
      hashes([[1, 4]], 1, 99, "adapter"),
      hashes([[1, 4]], 1, 99, ""),
      hashes([[1 + 2 ** 32, 4]], 1),
      hashes([[Number.MAX_SAFE_INTEGER, 4]], 1),
    ];
    // Each word alone tells them apart.
    for (const word of [0, 1]) {
      const words = variants.map((variant) => variant[0]!.split(":")[word]);
      expect(new Set(words).size).toBe(variants.length);
    }
  });

  it("tells a content that goes on from one that begins anew, and where it does", () => {
    const whole = [1, 8] as [number, number];
    const variants = [[whole], [[1, 4], whole], [[1, 5], whole], [[1, 6], whole]] as [number, number][][];
    const seconds = variants.map((segments) => hashes(segments, 2)[1]!.split(":"));
    for (const word of [0, 1]) expect(new Set(seconds.map((words) => words[word])).size).toBe(variants.length);
  });

  it("gives the same chain in one go and block by block", () => {
    const segments = [
      { contentId: 1, numTokens: 7 },
      { contentId: 2, numTokens: 1 },
      { contentId: 3, numTokens: 6 },
    ];
    const atOnce = new BlockTable(new KvSequence(segments, 9, null));
    const piecemeal = new BlockTable(new KvSequence(segments, 9, null));
    extendBlockHashes(atOnce, 6, BLOCK_SIZE);
    for (let numBlocks = 0; numBlocks <= 6; numBlocks++) extendBlockHashes(piecemeal, numBlocks, BLOCK_SIZE);
    expect(hashesOf(piecemeal)).toEqual(hashesOf(atOnce));
  });

  it("has no collision among 200,000 blocks of like-looking contents", () => {
    const seen = new Set<string>();
    for (let contentId = 0; contentId < 2000; contentId++) {
      for (const hash of hashes([[contentId, 400]], 100)) seen.add(hash);
    }
    expect(seen.size).toBe(200_000);
  });
});
