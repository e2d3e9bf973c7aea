import { describe, expect, it } from "vitest";
import { sweptServer } from "../../../src/cli/sweepTable.js";

describe("the server of a sweep in words", () => {
  it.each<[{ gpu?: string; size?: number }, string]>([
    [{ gpu: "H100", size: 2 }, "L on 2 × H100, vLLM 0.11.0"],
    [{ size: 1 }, "L on several GPUs at TP 1, vLLM 0.11.0"],
    [{ gpu: "H100" }, "L on H100 at several TP sizes, vLLM 0.11.0"],
    [{}, "L on several GPUs at several TP sizes, vLLM 0.11.0"],
  ])("%j", ({ gpu, size }, words) => {
    const engine = { vllmVersion: "0.11.0", ...(size === undefined ? {} : { tensorParallelSize: size }) };
    expect(sweptServer({ config: { model: "L", ...(gpu === undefined ? {} : { gpu }), engine } })).toBe(words);
  });
});
