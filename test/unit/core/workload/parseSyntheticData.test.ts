import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../../src/core/errors/simulationError.js";
import { parseSyntheticData } from "../../../../src/core/workload/parseSyntheticData.js";

const problem = (text: string): string => {
  try {
    parseSyntheticData(text);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  throw new Error(`accepted ${text}`);
};

describe("parseSyntheticData", () => {
  it("reads GuideLLM's keys", () => {
    const data = parseSyntheticData(
      "prompt_tokens=512, prompt_tokens_stdev=64,output_tokens=128,prefix_tokens=100,turns=3",
    );
    expect(data).toMatchObject({
      kind: "synthetic",
      promptTokens: 512,
      promptTokensStdev: 64,
      promptTokensMin: null,
      outputTokens: 128,
      prefixTokens: 100,
      prefixCount: 1,
      turns: 3,
      promptOffsetTokens: 0,
    });
  });

  it("reads the same as JSON, with prefix buckets", () => {
    const text =
      '{"prompt_tokens":512,"output_tokens":128,"prefix_buckets":[{"bucket_weight":1,"prefix_count":2,"prefix_tokens":64}]}';
    expect(parseSyntheticData(text).prefixBuckets).toEqual([{ bucketWeight: 1, prefixCount: 2, prefixTokens: 64 }]);
  });

  it("takes the kind that GuideLLM 0.7 writes", () => {
    expect(parseSyntheticData("kind=synthetic_text,prompt_tokens=1,output_tokens=1").promptTokens).toBe(1);
  });

  it.each([
    ["prompt_token=512,output_tokens=1", "prompt_token: got an unknown key; did you mean prompt_tokens?"],
    ["prompt_tokens=512,output_tokens=1,zzz=4", "zzz: got an unknown key; known keys are prompt_tokens"],
    ["prompt_tokens=512", "output_tokens: got nothing; must be a number"],
    ["prompt_tokens,output_tokens=1", '--data: got "prompt_tokens"; each entry must be key=value'],
    ["prompt_tokens=5,prompt_tokens=6,output_tokens=1", "prompt_tokens: got the key twice; give it once"],
    ["prompt_tokens=0,output_tokens=1", "prompt_tokens: got 0;"],
    ["prompt_tokens=-3,output_tokens=1", "prompt_tokens: got -3;"],
    ["prompt_tokens=1.5,output_tokens=1", "prompt_tokens: got 1.5; must be an integer"],
    ["prompt_tokens=NaN,output_tokens=1", 'prompt_tokens: got "NaN"; must be a number'],
    ["prompt_tokens=1e30,output_tokens=1", "prompt_tokens: got 1e+30"],
    ["prompt_tokens=512tok,output_tokens=1", 'prompt_tokens: got "512tok"; must be a number'],
    [
      "prompt_tokens=100,prompt_tokens_min=200,prompt_tokens_max=150,output_tokens=1",
      "prompt_tokens_max: got 150; must be at least 200",
    ],
    ["prompt_tokens=100,prompt_tokens_min=200,output_tokens=1", "prompt_tokens_min: got 200; must be at most 100"],
    ['{"prompt_tokens":512,', "--data: got"],
    [
      '{"prompt_tokens":1,"output_tokens":1,"prefix_buckets":[{"prefix_toks":3}]}',
      "prefix_toks: got an unknown key; did you mean prefix_tokens?",
    ],
    [
      '{"prompt_tokens":1,"output_tokens":1,"prefix_tokens":5,"prefix_buckets":[{"prefix_tokens":3}]}',
      "prefix_tokens: got 5; must be 0 beside prefixBuckets",
    ],
  ])("refuses %s", (text, expected) => {
    expect(problem(text)).toContain(expected);
  });

  it("lists every problem at once", () => {
    expect(problem("prompt_tokens=0,output_tokens=x,foo=1").split("\n")).toHaveLength(3);
  });
});
