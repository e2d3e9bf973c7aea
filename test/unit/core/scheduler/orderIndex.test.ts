import { describe, expect, it } from "vitest";
import { createStream } from "../../../../src/core/des/streams.js";
import { OrderIndex } from "../../../../src/core/scheduler/orderIndex.js";

describe("OrderIndex", () => {
  it("counts marks below a position as a walk over all of them does", () => {
    const next = createStream(1, "marks");
    const capacity = 64;
    const index = new OrderIndex(capacity);
    const marks = new Set<number>();
    for (let i = 0; i < 3000; i++) {
      const position = Math.floor(next() * capacity);
      index.change(position, marks.has(position) ? -1 : 1);
      if (!marks.delete(position)) marks.add(position);
      const below = Math.floor(next() * (capacity + 1));
      expect(index.countBelow(below)).toBe([...marks].filter((mark) => mark < below).length);
    }
  });

  it("starts afresh when cleared", () => {
    const index = new OrderIndex(8);
    index.change(3, 1);
    index.clear();
    expect(index.countBelow(8)).toBe(0);
  });
});
