import { describe, expect, test } from "vitest";
import { z } from "zod";
import { nearestName } from "../../../../src/core/config/nearestName.js";
import { parseConfig } from "../../../../src/core/config/parseConfig.js";
import { configLeaves, knownKeys } from "../../../../src/core/config/schemaKeys.js";

const inner = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("a"), alpha: z.number() }),
  z.strictObject({ kind: z.literal("b"), beta: z.number().int().max(9) }),
]);
const schema = z.strictObject({ one: inner.nullable().default(null), many: z.array(inner).default([]) });

describe("knownKeys", () => {
  test("finds the keys of objects, lists and unions behind defaults", () => {
    expect(knownKeys(schema, [])).toEqual(["one", "many"]);
    expect(knownKeys(schema, ["one"])).toEqual(["kind", "alpha", "beta"]);
    expect(knownKeys(schema, ["many", 3])).toEqual(["kind", "alpha", "beta"]);
  });

  test("is empty where there is no object", () => {
    expect(knownKeys(schema, ["one", "alpha"])).toEqual([]);
    expect(knownKeys(schema, ["nothing"])).toEqual([]);
  });
});

describe("messages of parseConfig", () => {
  test.for([
    [{ mny: [] }, "mny: got an unknown key; did you mean many?"],
    [{ one: { kind: "b", beta: 1, bta: 2 } }, "one.bta: got an unknown key; did you mean beta?"],
    [{ zzz: 1 }, "zzz: got an unknown key; remove it or correct its name"],
    [{ one: { kind: "b", beta: 1e308 } }, "one.beta: got 1e+308; must be ≤ 9"],
    [{ one: { kind: "b", beta: "4GB" } }, 'one.beta: got "4GB"; must be a number without a unit'],
    [{ one: { kind: "b", beta: "many" } }, 'one.beta: got "many"; must be a number'],
  ] as const)("%j: %s", ([input, message]) => {
    expect(() => parseConfig(schema, input, "")).toThrow(expect.objectContaining({ message }));
  });
});

describe("nearestName", () => {
  test.for([
    ["rnu", "run"],
    ["CAHT", "chat"],
    ["posson", "poisson"],
    ["evaluat", "evaluate"],
    ["xyz", null],
    ["", null],
  ] as const)("%s means %s", ([typed, meant]) => {
    expect(nearestName(typed, ["run", "chat", "poisson", "evaluate"])).toBe(meant);
  });
});

describe("configLeaves", () => {
  test("finds every value behind defaults and in all choices of a union, not what lists hold", () => {
    expect(configLeaves(schema)).toEqual([
      { path: "one.kind", kind: "text" },
      { path: "one.alpha", kind: "number" },
      { path: "one.beta", kind: "number" },
    ]);
  });
});
