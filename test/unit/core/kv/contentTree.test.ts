import { describe, expect, it } from "vitest";
import type { ContentNode } from "../../../../src/core/kv/contentNode.js";
import { ContentTree } from "../../../../src/core/kv/contentTree.js";

const BLOCK_SIZE = 4;

describe("ContentTree", () => {
  it("tells nodes apart by parent, tokens before them and content", () => {
    const tree = new ContentTree(BLOCK_SIZE);
    const root = tree.root(null);
    const first = tree.add(root, 0, 7);
    const keys: [ContentNode, number, number][] = [
      [first, 5, 7],
      [first, 6, 7],
      [first, 5, 8],
      [first, 5, 7 + 2 ** 32],
      [first, 5, Number.MAX_SAFE_INTEGER],
      [tree.root("adapter"), 0, 7],
    ];
    const nodes = keys.map((key) => tree.add(...key));
    expect(new Set([first, ...nodes]).size).toBe(keys.length + 1);
    keys.forEach((key, index) => {
      expect(tree.find(...key)).toBe(nodes[index]);
    });
    expect(tree.find(root, 0, 8)).toBeNull();
    expect(tree.find(nodes[0]!, 5, 7)).toBeNull();
  });

  it("gives a block to the node of its last token", () => {
    const tree = new ContentTree(BLOCK_SIZE);
    const first = tree.add(tree.root(null), 0, 1);
    const starts = [3, 4, 5, 8].map((numTokens) => tree.add(first, numTokens, 2).firstBlock);
    expect([first.firstBlock, ...starts]).toEqual([0, 0, 1, 1, 2]);
  });

  it("prunes a branch up to where another hangs on", () => {
    const tree = new ContentTree(BLOCK_SIZE);
    const trunk = tree.add(tree.root(null), 0, 1);
    const branch = tree.add(trunk, 4, 2);
    const twig = tree.add(branch, 4, 3);
    const other = tree.add(trunk, 4, 4);
    tree.prune(branch);
    expect(tree.numNodes).toBe(4);
    tree.prune(twig);
    expect(tree.numNodes).toBe(2);
    expect(tree.find(trunk, 4, 2)).toBeNull();
    expect(tree.find(trunk, 4, 4)).toBe(other);
    tree.prune(other);
    expect(tree.numNodes).toBe(0);
  });

  it("uses removed nodes again under another generation", () => {
    const tree = new ContentTree(BLOCK_SIZE);
    const root = tree.root(null);
    const first = tree.add(root, 0, 1);
    const { generation } = first;
    tree.prune(first);
    expect(tree.add(root, 0, 2)).toBe(first);
    expect(first.generation).not.toBe(generation);
    expect(tree.find(root, 0, 1)).toBeNull();
  });

  it("finds all of many nodes, and those left when others went", () => {
    const tree = new ContentTree(BLOCK_SIZE);
    const root = tree.root(null);
    const nodes = Array.from({ length: 5000 }, (_, id) => tree.add(root, 0, id * 1000));
    for (let id = 0; id < nodes.length; id += 2) tree.prune(nodes[id]!);
    nodes.forEach((node, id) => {
      expect(tree.find(root, 0, id * 1000)).toBe(id % 2 === 0 ? null : node);
    });
    expect(tree.numNodes).toBe(2500);
  });
});
