import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findPromptIdentities } from "../../../../src/io/inferencePerf/promptIdentity.js";

const NUM_PROMPTS = 10;
/** Distinct lengths, so that an exchange can be seen. */
const lengthOf = (prompt: number): number => 500 + 7 * prompt;

function cycle(numRequests: number): { indices: number[]; tokens: number[] } {
  const indices = Array.from({ length: numRequests }, (_, i) => i);
  return { indices, tokens: indices.map((i) => lengthOf(i % NUM_PROMPTS)) };
}

describe("findPromptIdentities", () => {
  it("is index mod the number of prompts, with the recorded lengths", () => {
    const { indices, tokens } = cycle(95);
    const found = findPromptIdentities(indices, tokens, NUM_PROMPTS);
    expect([...(found?.promptIds ?? [])]).toEqual(indices.map((i) => i % NUM_PROMPTS));
    expect([...(found?.promptTokens ?? [])]).toEqual(Array.from({ length: NUM_PROMPTS }, (_, p) => lengthOf(p)));
    expect(found).toMatchObject({ numDisagreeing: 0, numReordered: 0 });
  });

  it("finds requests that overtook a neighbour: every recorded length is its prompt's", () => {
    const swaps = fc.uniqueArray(fc.nat(65), { maxLength: 6 });
    fc.assert(
      fc.property(swaps, (places) => {
        const { indices, tokens } = cycle(200);
        for (const place of places) {
          const at = 3 * place;
          [tokens[at], tokens[at + 1]] = [tokens[at + 1] as number, tokens[at] as number];
        }
        const found = findPromptIdentities(indices, tokens, NUM_PROMPTS);
        expect(found).toMatchObject({ numDisagreeing: 0, numReordered: 2 * places.length });
        found?.promptIds.forEach((prompt, i) => {
          expect(found.promptTokens[prompt]).toBe(tokens[i]);
        });
        // Exchanging never invents or loses a prompt.
        expect([...(found?.promptIds ?? [])].sort()).toEqual(indices.map((i) => i % NUM_PROMPTS).sort());
      }),
      { seed: 20260221, numRuns: 60 },
    );
  });

  it("takes failed requests' lengths from their prompt", () => {
    const { indices, tokens } = cycle(60);
    tokens[12] = 0;
    tokens[13] = 0;
    const found = findPromptIdentities(indices, tokens, NUM_PROMPTS);
    expect([found?.promptIds[12], found?.promptTokens[2]]).toEqual([2, lengthOf(2)]);
    expect(found?.numDisagreeing).toBe(0);
  });

  it("gives the mean length to a prompt of which every request failed", () => {
    const { indices, tokens } = cycle(60);
    for (let i = 4; i < 60; i += NUM_PROMPTS) tokens[i] = 0;
    const known = tokens.filter((length) => length > 0);
    const mean = Math.round(known.reduce((sum, length) => sum + length, 0) / known.length);
    expect(findPromptIdentities(indices, tokens, NUM_PROMPTS)?.promptTokens[4]).toBe(mean);
  });

  it("counts an odd length and keeps the prompt's own", () => {
    const { indices, tokens } = cycle(60);
    tokens[25] = 9_999;
    const found = findPromptIdentities(indices, tokens, NUM_PROMPTS);
    expect([found?.numDisagreeing, found?.promptTokens[5]]).toEqual([1, lengthOf(5)]);
  });

  it("refuses to see a cycle in lengths that do not repeat", () => {
    const indices = Array.from({ length: 300 }, (_, i) => i);
    const tokens = indices.map((i) => 100 + ((i * 7919) % 997));
    expect(findPromptIdentities(indices, tokens, NUM_PROMPTS)).toBeNull();
  });
});
