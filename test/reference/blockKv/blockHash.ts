import type { BlockTable } from "./blockTable.js";

/*
 * A full block is identified by two 32-bit words that depend on the words of the block before it and on which tokens
 * it holds, given as maximal pieces (content, first token, number of tokens). Such a list is unique for given
 * tokens because segments begin at token 0 of their content, so no two neighbouring pieces can be joined.
 *
 * Hashed rather than interned: a table of every block ever seen would grow for as long as the simulation runs, while
 * 64 bits compared with the at most numGpuBlocks contents alive at once make a false hit improbable
 * (1e8 lookups against 1e5 blocks: about 5e-7), and they are the same in every run.
 */

const LOW_SEED = 0x2f6b1d35;
const HIGH_SEED = 0x71c94a6b;
const NO_SEGMENT_END = 0x7fffffff;

/** Extends the sequence's chain of block hashes to its first `numBlocks` blocks; O(new blocks + new segments). */
export function extendBlockHashes(table: BlockTable, numBlocks: number, blockSize: number): void {
  const { sequence } = table;
  const numHashed = table.numHashedBlocks;
  if (numBlocks <= numHashed) return;
  const words = reserveHashes(table, numBlocks);
  let low = numHashed > 0 ? words[2 * numHashed - 2]! : adapterHash(sequence.adapter, LOW_SEED);
  let high = numHashed > 0 ? words[2 * numHashed - 1]! : adapterHash(sequence.adapter, HIGH_SEED);
  const segments = sequence.promptSegments;
  let index = table.hashedSegmentIndex;
  let offset = table.hashedSegmentOffset;
  for (let block = numHashed; block < numBlocks; block++) {
    let numMissing = blockSize;
    while (numMissing > 0) {
      const segment = segments[index];
      const contentId = segment === undefined ? sequence.outputContentId : segment.contentId;
      const numLeft = segment === undefined ? NO_SEGMENT_END : segment.numTokens - offset;
      const numTaken = Math.min(numLeft, numMissing);
      low = mixPieceLow(low, contentId, offset, numTaken);
      high = mixPieceHigh(high, contentId, offset, numTaken);
      numMissing -= numTaken;
      offset += numTaken;
      if (numTaken === numLeft) {
        index++;
        offset = 0;
      }
    }
    // Each word sees the other, so that two chains that met in one word part again.
    low = scramble((low + high) | 0);
    high = scramble((high + Math.imul(low, 0x2545f491)) | 0);
    words[2 * block] = low;
    words[2 * block + 1] = high;
  }
  table.numHashedBlocks = numBlocks;
  table.hashedSegmentIndex = index;
  table.hashedSegmentOffset = offset;
}

function reserveHashes(table: BlockTable, numBlocks: number): Int32Array {
  if (2 * numBlocks > table.blockHashes.length) {
    const grown = new Int32Array(Math.max(2 * numBlocks, 2 * table.blockHashes.length));
    grown.set(table.blockHashes);
    table.blockHashes = grown;
  }
  return table.blockHashes;
}

/** Where the chain of an adapter starts: its KV differs from the base model's for equal tokens. */
function adapterHash(adapter: string | null, seed: number): number {
  if (adapter === null) return seed;
  let hash = mixWordLow(seed, adapter.length + 1);
  for (let i = 0; i < adapter.length; i++) hash = mixWordLow(hash, adapter.charCodeAt(i));
  return scramble(hash);
}

function mixPieceLow(hash: number, contentId: number, offset: number, numTokens: number): number {
  const mixed = mixWordLow(mixWordLow(hash, contentId | 0), Math.floor(contentId / 0x100000000));
  return mixWordLow(mixWordLow(mixed, offset), numTokens);
}

function mixPieceHigh(hash: number, contentId: number, offset: number, numTokens: number): number {
  const mixed = mixWordHigh(mixWordHigh(hash, numTokens), offset);
  return mixWordHigh(mixWordHigh(mixed, Math.floor(contentId / 0x100000000)), contentId | 0);
}

/** One round of MurmurHash3's 32-bit mix (public domain, A. Appleby), with its constants. */
function mixWordLow(hash: number, word: number): number {
  let key = Math.imul(word, 0xcc9e2d51);
  key = Math.imul((key << 15) | (key >>> 17), 0x1b873593);
  const mixed = hash ^ key;
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

/** The same with other odd constants and rotations (those of MurmurHash3's 128-bit variant). */
function mixWordHigh(hash: number, word: number): number {
  let key = Math.imul(word, 0x239b961b);
  key = Math.imul((key << 16) | (key >>> 16), 0xab0e9789);
  const mixed = hash ^ key;
  return (Math.imul((mixed << 17) | (mixed >>> 15), 5) + 0x0bcaa747) | 0;
}

/** MurmurHash3's finaliser: every input bit reaches every output bit. */
function scramble(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
