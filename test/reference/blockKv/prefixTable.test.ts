import { describe, expect, it } from "vitest";
import { NULL_BLOCK } from "./freeBlockQueue.js";
import { PrefixTable } from "./prefixTable.js";

describe("PrefixTable", () => {
  it("finds what was inserted, by both words of the hash", () => {
    const table = new PrefixTable(8);
    table.insert(3, -5, 70);
    expect(table.find(-5, 70)).toBe(3);
    expect(table.find(-5, 71)).toBe(NULL_BLOCK);
    expect(table.find(-6, 70)).toBe(NULL_BLOCK);
    expect(table.has(3)).toBe(true);
    expect(table.has(2)).toBe(false);
  });

  it("gives the block registered first among those left with equal contents", () => {
    const table = new PrefixTable(8);
    for (const blockId of [5, 2, 7]) table.insert(blockId, 1, 1);
    expect(table.find(1, 1)).toBe(5);
    table.remove(5);
    expect(table.find(1, 1)).toBe(2);
    table.insert(5, 1, 1);
    table.remove(2);
    expect(table.find(1, 1)).toBe(7);
    table.remove(7);
    table.remove(5);
    expect(table.find(1, 1)).toBe(NULL_BLOCK);
  });

  it("keeps entries apart that share a bucket", () => {
    const table = new PrefixTable(8);
    // Sixteen buckets at least: these low words meet in one whatever their number up to 2^10.
    for (let i = 1; i < 8; i++) table.insert(i, 1024 * i, i);
    table.remove(4);
    for (let i = 1; i < 8; i++) expect(table.find(1024 * i, i)).toBe(i === 4 ? NULL_BLOCK : i);
  });
});
