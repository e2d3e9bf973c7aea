import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventQueue } from "../../../../src/core/des/eventQueue.js";

describe("EventQueue", () => {
  it("pops in the order of a stable sort by (time, priority)", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ timeUs: fc.nat(5), priority: fc.nat(2) }), { maxLength: 200 }), (events) => {
        const queue = new EventQueue<{ timeUs: number; priority: number; label: number }>();
        const labelled = events.map((event, label) => ({ ...event, label }));
        for (const event of labelled) queue.push(event);
        const expected = [...labelled].sort((a, b) => a.timeUs - b.timeUs || a.priority - b.priority);
        const popped = Array.from({ length: labelled.length }, () => queue.pop());
        expect(popped).toEqual(expected);
      }),
      { seed: 20260221, numRuns: 200 },
    );
  });

  it("reports Infinity and undefined when empty", () => {
    const queue = new EventQueue();
    expect(queue.peekTimeUs()).toBe(Number.POSITIVE_INFINITY);
    expect(queue.pop()).toBeUndefined();
    expect(queue.length).toBe(0);
  });
});
