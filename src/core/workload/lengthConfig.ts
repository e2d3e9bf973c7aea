import * as z from "zod";

/** No prompt or output is longer than this. */
export const MAX_TOKENS = 16_777_216;
/** Widest range a Zipf law spans: its weights are tabulated. */
const MAX_ZIPF_RANGE = 1_048_576;

const tokens = z.number().int().min(1).max(MAX_TOKENS);
const lowest = tokens.default(1).describe("shorter draws are raised to this, tokens");
const highest = tokens.nullable().default(null).describe("longer draws are cut to this, tokens; null = no limit");

const fixedSchema = z.strictObject({ kind: z.literal("fixed"), tokens: tokens.describe("every length, tokens") });

const uniformSchema = z.strictObject({
  kind: z.literal("uniform"),
  min: tokens.describe("smallest length, tokens"),
  max: tokens.describe("largest length, tokens, included"),
});

const normalSchema = z.strictObject({
  kind: z.literal("normal"),
  mean: z.number().gt(0).max(MAX_TOKENS).describe("mean before clamping, tokens"),
  stddev: z.number().min(0).max(MAX_TOKENS).describe("standard deviation before clamping, tokens"),
  min: tokens
    .nullable()
    .default(null)
    .describe("shorter draws are raised to this, tokens; null = 5 standard deviations below the mean, but at least 1"),
  max: tokens
    .nullable()
    .default(null)
    .describe("longer draws are cut to this, tokens; null = 5 standard deviations above the mean"),
});

const lognormalSchema = z.strictObject({
  kind: z.literal("lognormal"),
  mean: z.number().gt(0).max(MAX_TOKENS).describe("mean before clamping, tokens"),
  cv: z.number().min(0).max(100).describe("coefficient of variation before clamping: standard deviation / mean"),
  min: lowest,
  max: highest,
});

const zipfSchema = z.strictObject({
  kind: z.literal("zipf"),
  min: tokens.describe("smallest and most frequent length, tokens"),
  max: tokens.describe("largest length, tokens, included"),
  exponent: z
    .number()
    .min(0)
    .max(20)
    .default(0.6)
    .describe("the k-th smallest length has weight 1/k^exponent; 0 = uniform"),
});

const empiricalSchema = z.strictObject({
  kind: z.literal("empirical"),
  values: z
    .array(
      z.strictObject({
        tokens: tokens.describe("a length, tokens"),
        weight: z.number().min(0).max(1e15).default(1).describe("how often it occurs, relative to the others"),
      }),
    )
    .min(1)
    .max(1_000_000)
    .refine((values) => values.some((value) => value.weight > 0), "expected at least one weight above 0")
    .describe("histogram of lengths"),
});

/** How many tokens something has. */
export const lengthDistributionSchema = z
  .discriminatedUnion("kind", [fixedSchema, uniformSchema, normalSchema, lognormalSchema, zipfSchema, empiricalSchema])
  .superRefine((length, context) => {
    if (!("min" in length) || length.min === null || length.max === null) return;
    if (length.min > length.max) {
      context.addIssue({ code: "custom", path: ["max"], message: `expected at least min (${length.min})` });
    } else if (length.kind === "zipf" && length.max - length.min >= MAX_ZIPF_RANGE) {
      const message = `expected less than min + ${MAX_ZIPF_RANGE}`;
      context.addIssue({ code: "custom", path: ["max"], message });
    }
  });

export type LengthDistribution = z.output<typeof lengthDistributionSchema>;
