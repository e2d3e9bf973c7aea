import { describe, expect, it } from "vitest";
import { FreeBlockQueue, NULL_BLOCK } from "./freeBlockQueue.js";

function drain(queue: FreeBlockQueue): number[] {
  const ids: number[] = [];
  while (queue.length > 0) ids.push(queue.popFront());
  return ids;
}

describe("FreeBlockQueue", () => {
  it("starts with every block but the null block, in id order", () => {
    const queue = new FreeBlockQueue(5);
    expect(queue.length).toBe(4);
    expect(drain(queue)).toEqual([1, 2, 3, 4]);
  });

  it("gives blocks back in the order they came", () => {
    const queue = new FreeBlockQueue(4);
    drain(queue);
    for (const id of [3, 1, 2]) queue.pushBack(id);
    expect(queue.front).toBe(3);
    expect(drain(queue)).toEqual([3, 1, 2]);
  });

  it("lets a block leave from the front, the middle and the end", () => {
    const queue = new FreeBlockQueue(7);
    for (const id of [1, 3, 6]) queue.remove(id);
    expect(queue.length).toBe(3);
    expect(drain(queue)).toEqual([2, 4, 5]);
  });

  it("is empty, and usable again, after its last block left", () => {
    const queue = new FreeBlockQueue(2);
    queue.remove(1);
    expect(queue.length).toBe(0);
    expect(queue.front).toBe(NULL_BLOCK);
    queue.pushBack(1);
    expect(drain(queue)).toEqual([1]);
  });
});
