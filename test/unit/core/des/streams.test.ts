import { describe, expect, it } from "vitest";
import { createStream } from "../../../../src/core/des/streams.js";

const draw = (seed: number | string, purpose: string, n = 50) => {
  const stream = createStream(seed, purpose);
  return Array.from({ length: n }, () => stream());
};

describe("createStream", () => {
  it("repeats itself for the same seed and purpose", () => {
    expect(draw(7, "arrivals")).toEqual(draw(7, "arrivals"));
  });

  it("differs by seed and by purpose", () => {
    expect(draw(7, "arrivals")).not.toEqual(draw(8, "arrivals"));
    expect(draw(7, "arrivals")).not.toEqual(draw(7, "prefix"));
  });

  it("does not move when another stream is drawn from", () => {
    const arrivals = createStream(7, "arrivals");
    const prefix = createStream(7, "prefix");
    const mixed = Array.from({ length: 50 }, () => {
      prefix();
      return arrivals();
    });
    expect(mixed).toEqual(draw(7, "arrivals"));
  });

  it("stays in [0, 1) with mean 1/2", () => {
    const draws = draw(1, "arrivals", 20_000);
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...draws)).toBeLessThan(1);
    expect(draws.reduce((sum, u) => sum + u, 0) / draws.length).toBeCloseTo(0.5, 2);
  });

  it("keeps the draws of a published result: seed 42, arrivals", () => {
    expect(draw(42, "arrivals", 3)).toMatchInlineSnapshot(`
      [
        0.09669156046584249,
        0.10787259554490447,
        0.9512710100971162,
      ]
    `);
  });
});
