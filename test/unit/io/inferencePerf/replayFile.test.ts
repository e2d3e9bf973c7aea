import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  isSoundReplayRow,
  isSoundTruthRow,
  replayRowSchema,
  truthRowSchema,
} from "../../../../src/io/inferencePerf/replayFile.js";

/** Values that are right in one field or another, or nowhere. */
const value = fc.oneof(
  fc.integer({ min: -2, max: 2000 }),
  fc.double({ min: -1, max: 1e16 }),
  fc.constantFrom(1e12, 1e12 + 1, 1e15, Number.POSITIVE_INFINITY, null, undefined, "", "group", true, false, {}),
);
const rowOf = (keys: readonly string[]) =>
  fc.record(Object.fromEntries([...keys, "unknown_key"].map((key) => [key, value])), { requiredKeys: [] });

describe.each([
  ["replay.json", replayRowSchema, isSoundReplayRow],
  ["ground_truth.json", truthRowSchema, isSoundTruthRow],
] as const)("a row of %s that is told to be sound without the schema", (_file, schema, isSound) => {
  const keys = Object.keys(schema.shape);

  it("is right by the schema too, which changes nothing in it", () => {
    const right: Record<string, unknown> = { index: 3, input_tokens: 7, arrival_time_us: 1.5, has_error: false };
    fc.assert(
      fc.property(rowOf(keys), fc.integer({ min: 0, max: keys.length }), (drawn, numDrawn) => {
        const kept = Object.fromEntries(keys.slice(0, numDrawn).map((key) => [key, drawn[key]]));
        const row = { ...right, ...kept };
        if (!isSound(row)) return;
        const known = Object.fromEntries(Object.entries(row).filter(([key]) => keys.includes(key)));
        expect(schema.parse(row)).toEqual(known);
      }),
      { seed: 5, numRuns: 5000 },
    );
  });

  it("is one of those that files have", () => {
    const row = {
      index: 0,
      arrival_time_us: 0.5,
      input_tokens: 582,
      output_tokens: 250,
      prefix_group: "",
      has_error: false,
    };
    const times = { e2e_s: 2.04, ttft_s: null };
    expect(isSound({ ...row, ...times })).toBe(true);
    expect(isSound({ ...row, ...times, has_error: undefined })).toBe(false);
    for (const no of [null, 3, "row"]) expect(isSound(no)).toBe(false);
  });
});
