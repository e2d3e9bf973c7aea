import * as z from "zod";
import { MAX_TOKENS } from "./lengthConfig.js";
import { clampBounds } from "./lengthSampler.js";

const tokens = z.number().int().min(1).max(MAX_TOKENS);
const stdev = z.number().int().min(0).max(MAX_TOKENS).nullable().default(null);
const bound = tokens.nullable().default(null);

const bucketSchema = z.strictObject({
  bucketWeight: z.number().int().min(1).max(1_000_000).default(100).describe("share of the requests, relative"),
  prefixCount: z.number().int().min(1).max(100_000).default(1).describe("different prefixes in the bucket"),
  prefixTokens: z.number().int().min(0).max(MAX_TOKENS).default(0).describe("tokens of each of its prefixes"),
});

/** GuideLLM's synthetic `--data`, its keys in camelCase; lengths follow GuideLLM's own draws for a seed. */
export const syntheticDataSchema = z
  .strictObject({
    kind: z.literal("synthetic"),
    promptTokens: tokens.describe("mean prompt length, tokens"),
    promptTokensStdev: stdev.describe("standard deviation of the prompt length, tokens; null = none"),
    promptTokensMin: bound.describe("shortest prompt, tokens; without a stdev, lengths are uniform from min to max"),
    promptTokensMax: bound.describe("longest prompt, tokens"),
    outputTokens: tokens.describe("mean output length, tokens"),
    outputTokensStdev: stdev.describe("standard deviation of the output length, tokens; null = none"),
    outputTokensMin: bound.describe("shortest output, tokens"),
    outputTokensMax: bound.describe("longest output, tokens"),
    prefixTokens: z.number().int().min(0).max(MAX_TOKENS).default(0).describe("tokens of a shared prefix"),
    prefixCount: z.number().int().min(1).max(100_000).default(1).describe("different prefixes, used equally often"),
    prefixBuckets: z
      .array(bucketSchema)
      .min(1)
      .max(1000)
      .nullable()
      .default(null)
      .describe("groups of prefixes with weights, in place of prefixTokens and prefixCount"),
    turns: z.number().int().min(1).max(1000).default(1).describe("requests per conversation"),
    promptOffsetTokens: z
      .number()
      .int()
      .min(-64)
      .max(64)
      .default(0)
      .describe("what tokenising again adds to prefix + prompt, tokens: −2 for Llama 2 and CodeLlama"),
  })
  .superRefine((data, context) => {
    // Bounds of a length that is itself refused would only add noise.
    if (context.issues.length > 0) return;
    for (const field of ["promptTokens", "outputTokens"] as const) {
      const { [`${field}Min` as const]: min, [`${field}Max` as const]: max, [`${field}Stdev` as const]: stdev } = data;
      const [low, high] = clampBounds(data[field], stdev ?? 0, min, max);
      if (low <= high) continue;
      const [key, message] =
        max === null
          ? ["Min", `expected at most ${high}, the largest draw`]
          : ["Max", `expected at least ${low}, the smallest draw`];
      context.addIssue({ code: "custom", path: [`${field}${key}`], message });
    }
    if (data.prefixBuckets !== null && data.prefixTokens > 0) {
      context.addIssue({ code: "custom", path: ["prefixTokens"], message: "expected 0 beside prefixBuckets" });
    }
  });

export type SyntheticData = z.output<typeof syntheticDataSchema>;
