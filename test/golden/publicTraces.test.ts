import { describe, expect, it } from "vitest";
import type { RequestSpec } from "../../src/core/request/requestSpec.js";
import { readTrace } from "../../src/io/traces/readTrace.js";
import { sharedFile } from "../reference/sharedFile.js";

const file = (path: string) => sharedFile(path) as string;
const hasShared = sharedFile("traces/mooncake_conversation.jsonl") !== null;
const meanOf = (specs: readonly RequestSpec[], of: (spec: RequestSpec) => number) =>
  Math.round(specs.reduce((sum, spec) => sum + of(spec), 0) / specs.length);

/** File, format, requests, mean prompt and output tokens, last arrival in µs: counted from the files by other means. */
const TRACES = [
  ["traces/mooncake_conversation.jsonl", "mooncake", 12_031, 12_035, 343, 3_536_999_000],
  ["traces/mooncake_synthetic.jsonl", "mooncake", 3993, 15_325, 149, 1_022_025_000],
  ["traces/splitwise_code.csv", "vidur", 8819, 2048, 28, 3_435_948_056],
  ["traces/splitwise_conv.csv", "vidur", 19_366, 1155, 211, 3_501_721_937],
] as const;

describe.skipIf(!hasShared)("public traces (needs ../shared)", () => {
  it.each(TRACES)("%s", async (path, format, count, meanPrompt, meanOutput, lastUs) => {
    const read = await readTrace(file(path));
    expect([read.format, read.specs.length, read.numDropped]).toEqual([format, count, 0]);
    expect(read.warnings).toEqual([]);
    expect(meanOf(read.specs, (spec) => spec.numPromptTokens)).toBe(meanPrompt);
    expect(meanOf(read.specs, (spec) => spec.maxTokens)).toBe(meanOutput);
    expect(read.specs.at(-1)?.arrivalUs).toBe(lastUs);
  });

  it("Mooncake's conversations repeat the prompt tokens that their hash ids say", async () => {
    const { specs } = await readTrace(file("traces/mooncake_conversation.jsonl"));
    const seen = new Set<number>();
    const repeated = specs.map((spec) => {
      // Ids are chained: what comes after the first new block is new.
      const firstNew = spec.promptSegments.findIndex((segment) => !seen.has(segment.contentId));
      const known = firstNew < 0 ? spec.promptSegments : spec.promptSegments.slice(0, firstNew);
      for (const segment of spec.promptSegments) seen.add(segment.contentId);
      return known.reduce((sum, segment) => sum + segment.numTokens, 0);
    });
    const sumFrom = (values: readonly number[], first: number) =>
      values.slice(first).reduce((sum, value) => sum + value, 0);
    // Counted from the hash ids alone.
    expect(sumFrom(repeated, 0)).toBe(54_098_411);
    // Over the second half llmtrafficlens 0.11 reports a ceiling of 39.8 %.
    const half = Math.floor(specs.length / 2);
    const prompts = specs.map((spec) => spec.numPromptTokens);
    expect(sumFrom(repeated, half) / sumFrom(prompts, half)).toBeCloseTo(0.398, 3);
  });

  it("Mooncake's coarse time stamps can be spread: from 1,180 instants to thousands", async () => {
    const path = file("traces/mooncake_conversation.jsonl");
    const instants = async (spreadArrivals: boolean) =>
      new Set((await readTrace(path, { spreadArrivals })).specs.map((spec) => spec.arrivalUs)).size;
    expect(await instants(false)).toBe(1180);
    expect(await instants(true)).toBeGreaterThan(11_000);
  });

  it("vLLM's spans give the lengths that the client recorded", async () => {
    const { format, specs } = await readTrace(file("ground_truth/guidellm/jan20-codellama-prefill-1/traces.json"));
    expect([format, specs.length]).toEqual(["otel", 200]);
    // The synchronous benchmark is the first 40 requests, in GuideLLM's order: draws of seeds 42 and 43.
    expect(specs.slice(0, 8).map((spec) => spec.maxTokens)).toEqual([56, 38, 43, 46, 19, 7, 14, 37]);
    const other = await readTrace(file("ground_truth/otel/jan20-codellama-train-1/traces.json"));
    expect(other.specs).toHaveLength(280);
  });
});
