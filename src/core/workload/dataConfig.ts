import * as z from "zod";
import { lengthDistributionSchema, MAX_TOKENS } from "./lengthConfig.js";
import { syntheticDataSchema } from "./syntheticData.js";

const tokens = z.number().int().min(1).max(MAX_TOKENS);
const MAX_TURNS = 1000;

/** How often each of several shared prefixes is used. */
const popularitySchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("uniform") }).describe("all equally often, at random"),
  z.strictObject({ kind: z.literal("cyclic") }).describe("one after the other"),
  z
    .strictObject({
      kind: z.literal("zipf"),
      exponent: z.number().min(0).max(20).default(1).describe("the k-th prefix has weight 1/k^exponent"),
    })
    .describe("a few often, most seldom"),
]);

const prefixSchema = z.strictObject({
  tokens: tokens.describe("tokens of each shared prefix (system prompt, tools, document)"),
  count: z.number().int().min(1).max(1_000_000).default(1).describe("different prefixes"),
  popularity: popularitySchema.default({ kind: "uniform" }).describe("how often each prefix is used"),
});

const seconds = z.number().min(0).max(1e6);

/** Pause of a user, or of a tool, between two turns. */
const thinkSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("fixed"), seconds: seconds.describe("every pause, seconds") }),
  z.strictObject({ kind: z.literal("exponential"), meanS: seconds.describe("mean pause, seconds") }),
  z.strictObject({
    kind: z.literal("lognormal"),
    meanS: seconds.describe("mean pause, seconds"),
    cv: z.number().min(0).max(100).describe("coefficient of variation: standard deviation / mean"),
  }),
]);

const sessionSchema = z.strictObject({
  turns: lengthDistributionSchema.describe(
    "requests per conversation: a length distribution whose unit is turns, at most 1000",
  ),
  think: thinkSchema.default({ kind: "fixed", seconds: 0 }).describe("pause between the end of a turn and the next"),
  followUpPrompt: lengthDistributionSchema
    .nullable()
    .default(null)
    .describe("new prompt tokens of every turn but the first; null = as the first"),
});

const prefix = prefixSchema.nullable().default(null).describe("shared prompt prefixes; null = none");
const session = sessionSchema
  .nullable()
  .default(null)
  .describe("conversations of several turns; null = one request each");

const lengthsSchema = z.strictObject({
  kind: z.literal("lengths"),
  prompt: lengthDistributionSchema.describe("prompt tokens, shared prefix not included"),
  output: lengthDistributionSchema.describe("output tokens"),
  prefix,
  session,
});

const pairedSchema = z.strictObject({
  kind: z.literal("paired"),
  rows: z
    .array(
      z.strictObject({
        promptTokens: tokens.describe("prompt tokens, shared prefix not included"),
        outputTokens: tokens.describe("output tokens"),
        weight: z.number().min(0).max(1e15).default(1).describe("how often the pair occurs, relative to the others"),
      }),
    )
    .min(1)
    .max(1_000_000)
    .refine((rows) => rows.some((row) => row.weight > 0), "expected at least one weight above 0")
    .describe("observed pairs, drawn together so that their correlation stays"),
  order: z
    .enum(["random", "cyclic"])
    .default("random")
    .describe("draw by weight, or go through the rows again and again"),
  prefix,
});

const traceDataSchema = z.strictObject({
  kind: z.literal("trace"),
  path: z.string().min(1).describe("trace file whose requests are sent"),
});

/** What requests ask. */
export const workloadDataSchema = z.discriminatedUnion("kind", [
  syntheticDataSchema,
  lengthsSchema,
  pairedSchema,
  traceDataSchema,
]);

export type WorkloadData = z.output<typeof workloadDataSchema>;
export type LengthsData = Extract<WorkloadData, { kind: "lengths" }>;
export type PairedData = Extract<WorkloadData, { kind: "paired" }>;
export type PrefixConfig = z.output<typeof prefixSchema>;
export type SessionConfig = z.output<typeof sessionSchema>;
export type ThinkTime = z.output<typeof thinkSchema>;

/** Turns of a conversation, however long the draw. */
export function clampTurns(turns: number): number {
  return Math.min(turns, MAX_TURNS);
}
