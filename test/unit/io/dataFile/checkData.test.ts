import { describe, expect, it } from "vitest";
import { z } from "zod";
import { checkData } from "../../../../src/io/dataFile/dataFile.js";

const schema = z.strictObject({ a: z.number() }).refine(({ a }) => a !== 0, { message: "must not be empty" });
const check = (input: unknown) => () => checkData(schema, input, "f.json", "correct it");

describe("a file of the wrong shape", () => {
  it("names each unknown key", () => {
    expect(check({ a: 1, b: 2 })).toThrow("f.json, column b: is an unknown key; remove it; correct it");
    expect(check({ a: "x", b: 2 })).toThrow('f.json, column a: got "x"; must be a number; also b: is an unknown key');
  });

  it("says what is wrong with the whole of it, without an empty name", () => {
    expect(check({ a: 0 })).toThrow('f.json: got {"a":0}; must not be empty; correct it');
    expect(check([])).toThrow("f.json: got []; must be an object; correct it");
  });
});
