import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ValueSort } from "../../../../src/core/metrics/valueSort.js";

/** Long enough for the sort by digits. */
const MANY = 6000;

/** The same by indices: what the sort must equal, equal values in the order of the input. */
function expected(values: readonly number[], weights: readonly number[]): [number[], number[]] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]! || a - b);
  return [order.map((i) => values[i]!), order.map((i) => weights[i]!)];
}

/** `of` repeated to a length, a little changed each time round, so that digits of every weight differ. */
function longer(of: readonly number[], length: number): number[] {
  return Array.from({ length }, (_, i) => of[i % of.length]! * (1 + Math.floor(i / of.length) * 1e-9));
}

describe("ValueSort", () => {
  const numbers = fc.oneof(fc.double({ noNaN: true }), fc.integer({ min: 0, max: 20 }), fc.constant(5e-324));

  it("sorts any numbers, few or many, with their weights and without", () => {
    fc.assert(
      fc.property(fc.array(numbers, { minLength: 1, maxLength: 60 }), fc.boolean(), (drawn, isPositive) => {
        const sorter = new ValueSort();
        const base = drawn.map((value) => (isPositive ? Math.abs(value) : value) + 0);
        for (const values of [longer(base, MANY), base, longer(base, MANY + 100)]) {
          const weights = values.map((_, i) => i);
          const [inOrder, theirWeights] = expected(values, weights);
          const pairs = [Float64Array.from(values), Float64Array.from(weights)] as const;
          sorter.sort(...pairs);
          expect([...pairs[0]]).toEqual(inOrder);
          expect([...pairs[1]]).toEqual(theirWeights);
          const alone = Float64Array.from(values);
          sorter.sort(alone, null);
          expect([...alone]).toEqual(inOrder);
        }
      }),
      { seed: 7, numRuns: 60 },
    );
  });

  it("sorts a part of an array and leaves the rest alone", () => {
    const all = Float64Array.from({ length: MANY + 2 }, (_, i) => (i * 7919) % (MANY + 2));
    const [first, last] = [all[0], all[MANY + 1]];
    new ValueSort().sort(all.subarray(1, MANY + 1), null);
    expect([all[0], all[MANY + 1]]).toEqual([first, last]);
    expect(all.subarray(1, MANY + 1).every((value, i, part) => i === 0 || part[i - 1]! <= value)).toBe(true);
  });

  it("sorts nothing, and numbers that are all equal", () => {
    const none = new Float64Array(0);
    new ValueSort().sort(none, none);
    const equal = new Float64Array(MANY).fill(3);
    const weights = Float64Array.from(equal, (_, i) => i);
    new ValueSort().sort(equal, weights);
    expect(weights.every((weight, i) => weight === i)).toBe(true);
  });
});
