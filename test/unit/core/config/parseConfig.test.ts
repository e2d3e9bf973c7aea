import { describe, expect, it } from "vitest";
import { z } from "zod";
import { engineConfigSchema } from "../../../../src/core/config/engineConfig.js";
import { parseConfig, printValue } from "../../../../src/core/config/parseConfig.js";
import { runConfigSchema } from "../../../../src/core/engine/runConfig.js";
import { ConfigError } from "../../../../src/core/errors/simulationError.js";

/** The message of the ConfigError that parsing throws. */
function complaint(schema: z.ZodType, input: unknown, where = "engine"): string {
  try {
    parseConfig(schema, input, where);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "no complaint";
}

describe("a config that is right", () => {
  it("comes back with its defaults filled in", () => {
    expect(parseConfig(engineConfigSchema, { maxNumSeqs: 5 }, "engine")).toMatchObject({
      maxNumSeqs: 5,
      maxModelLen: null,
      blockSize: 16,
      gpuMemoryUtilization: 0.9,
      vllmVersion: "0.15",
    });
  });
});

describe("a config that is wrong names place, value and remedy", () => {
  it.each([
    [{ maxNumSeqs: 0 }, "engine.maxNumSeqs: got 0; must be ≥ 1"],
    [{ maxNumSeqs: -3 }, "engine.maxNumSeqs: got -3; must be ≥ 1"],
    [{ maxNumSeqs: 1e9 }, "engine.maxNumSeqs: got 1000000000; must be ≤ 65536"],
    [{ maxNumSeqs: 1.5 }, "engine.maxNumSeqs: got 1.5; must be an integer"],
    [{ maxNumSeqs: Number.NaN }, "engine.maxNumSeqs: got NaN; must be a number"],
    [{ maxNumSeqs: Number.POSITIVE_INFINITY }, "engine.maxNumSeqs: got Infinity; must be a number"],
    [{ maxNumSeqs: "many" }, 'engine.maxNumSeqs: got "many"; must be a number'],
    [{ blockSize: null }, "engine.blockSize: got null; must be a number"],
    [{ gpuMemoryUtilization: 0 }, "engine.gpuMemoryUtilization: got 0; must be > 0"],
    [{ gpuMemoryUtilization: 90 }, "engine.gpuMemoryUtilization: got 90; must be ≤ 1"],
    [{ enablePrefixCaching: "yes" }, 'engine.enablePrefixCaching: got "yes"; must be true or false'],
    [{ schedulingPolicy: "lifo" }, 'engine.schedulingPolicy: got "lifo"; must be one of fcfs, priority'],
    [{ maxNumSeq: 4 }, "engine.maxNumSeq: got an unknown key"],
  ])("%o", (input, message) => {
    expect(complaint(engineConfigSchema, input)).toContain(message);
  });

  it.each([null, 7, "text", []])("%j is no config at all", (input) => {
    expect(complaint(engineConfigSchema, input)).toBe(`engine: got ${printValue(input)}; must be an object`);
  });

  it("lists every problem, one line each", () => {
    const lines = complaint(engineConfigSchema, { maxNumSeqs: 0, blockSize: "x", typo: 1, other: 2 }).split("\n");
    expect(lines.length).toBe(4);
  });

  it("names an unknown key at the top by itself", () => {
    const workload = {
      profile: { kind: "synchronous" },
      data: { kind: "synthetic", promptTokens: 5, outputTokens: 5 },
      maxRequests: 1,
    };
    expect(complaint(runConfigSchema, { workload, modle: "x" }, "")).toBe(
      "modle: got an unknown key; did you mean model?",
    );
  });

  it("says of a key that another kind would have that it is in the wrong place, not that it is misspelt", () => {
    const data = { kind: "lengths", prompt: { kind: "fixed", tokens: 5 }, output: { kind: "fixed", tokens: 5 } };
    const workload = { profile: { kind: "synchronous" }, data: { ...data, promptTokens: 5 }, maxRequests: 1 };
    expect(complaint(runConfigSchema, { workload }, "")).toBe(
      "workload.data.promptTokens: got a key of another kind; remove it or change the kind",
    );
  });

  it("lists the choices of a wrong kind", () => {
    const message = complaint(runConfigSchema, { workload: { profile: { kind: "burst" }, data: {} } }, "");
    expect(message).toContain('workload.profile.kind: got "burst"; must be one of');
    expect(message).toContain("poisson");
  });

  it("finds the wrong entry of a list", () => {
    const schema = z.strictObject({ rows: z.array(z.strictObject({ tokens: z.number().int().min(1) })) });
    expect(complaint(schema, { rows: [{ tokens: 1 }, { tokens: 0 }] }, "data")).toContain("data.rows.1.tokens: got 0");
  });
});

describe("a printed value", () => {
  it.each([
    [undefined, "nothing"],
    [Number.NaN, "NaN"],
    [-0.5, "-0.5"],
    ["a", '"a"'],
    [{ a: 1 }, '{"a":1}'],
    [12n, "12"],
  ])("%s is %s", (value, text) => {
    expect(printValue(value)).toBe(text);
  });

  it("is short", () => {
    expect(printValue("x".repeat(1000)).length).toBeLessThanOrEqual(80);
  });
});
