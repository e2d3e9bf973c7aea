import * as z from "zod";
import type { LookupKind } from "../kernels/kernelLookup.js";
import type { KernelPrice, PriceSource } from "../kernels/kernelModel.js";
import type { WAIT_CATEGORY } from "../stepmodel/stepWaits.js";

export const STEP_LOG_SCHEMA = "roofserve.step-log/2";

/** What a component's time is bound by. */
export type Bound = KernelPrice["boundBy"] | typeof WAIT_CATEGORY;

/** One letter per component and step; the header repeats them, so that a log explains itself. */
export const BOUND_CODES: Readonly<Record<Bound, string>> = {
  compute: "c",
  memory: "m",
  launch: "l",
  network: "n",
  wait: "w",
};
export const SOURCE_CODES: Readonly<Record<PriceSource, string>> = { measured: "d", modelled: "m", transferred: "t" };
export const LOOKUP_CODES: Readonly<Record<LookupKind, string>> = {
  interpolated: "i",
  extrapolated: "x",
  nearest: "n",
  formula: "f",
};
const DISTANT_CODES = `${LOOKUP_CODES.extrapolated}${LOOKUP_CODES.nearest}`;
/** In place of a letter: the step has no such component, or it is a wait and was not looked up. */
export const ABSENT_CODE = "-";

const count = z.number().int().min(0);
const us = z.number().min(0);
const fraction = z.number().min(0).max(1);

/** First line of a step log. */
export const stepLogHeaderSchema = z.object({
  schema: z.literal(STEP_LOG_SCHEMA, `must be ${STEP_LOG_SCHEMA}, as run --step-log writes it`),
  version: z.string().describe("roofserve's version"),
  config: z
    .looseObject({
      model: z.string(),
      gpu: z.string(),
      engine: z.looseObject({ tensorParallelSize: count }),
      pricing: z.looseObject({ stepModel: z.string() }),
    })
    .describe("the run's config with every default filled in; only what a reader needs is checked"),
  components: z
    .array(z.object({ name: z.string().min(1), category: z.string() }))
    .min(1)
    .describe("the parts of a step; arrays and codes of a step are in this order"),
  codes: z
    .object({
      bound: z.record(z.string(), z.string()),
      source: z.record(z.string(), z.string()),
      lookup: z.record(z.string(), z.string()),
    })
    .describe("what the letters of a step mean"),
});

/** Last line of a step log: without it the log has been cut off. */
export const stepLogEndSchema = z.object({
  end: z.object({ steps: count.describe("lines of steps above") }),
});

/** Every line between header and end: one engine step of `numComponents` possible components. */
export function loggedStepSchema(numComponents: number) {
  const codes = (known: Readonly<Record<string, string>>) =>
    z
      .string()
      .regex(
        new RegExp(`^[${Object.values(known).join("")}${ABSENT_CODE}]{${numComponents}}$`),
        `must be ${numComponents} letters of ${Object.values(known).join("")}${ABSENT_CODE}, one per component`,
      );
  const step = z.object({
    startUs: us.describe("start on the GPU, µs of the run"),
    endUs: us,
    requests: count.min(1),
    tokens: count.describe("tokens computed, all rows"),
    prefillTokens: count.describe("tokens of the rows that are no decodes"),
    decodes: count.describe("rows that decode"),
    sampled: count.describe("positions that yield a token"),
    paddedTokens: count.describe("rows the linear layers run over: a CUDA graph's size"),
    contextTokens: count.describe("Σ over the rows of tokens in the KV cache before the step"),
    preempted: count.describe("requests sent back to the queue while the step was planned"),
    running: count.describe("resident requests after planning"),
    waiting: count.describe("requests in the queue after planning: those that found no place in the step"),
    kvFraction: fraction.describe("fraction of KV blocks in use after planning"),
    us: z.array(us).length(numComponents, `must hold ${numComponents} numbers, one per component`),
    bound: codes(BOUND_CODES).describe("what binds each component"),
    source: codes(SOURCE_CODES).describe("where its price came from"),
    lookup: codes(LOOKUP_CODES).describe("how the price was found"),
    lnDistance: z
      .array(z.number().min(0))
      .optional()
      .describe(
        "of the extrapolated ones and the nearest rows, in order: largest |ln| by which a shape number lies away from them",
      ),
  });
  return step
    .refine(({ startUs, endUs }) => endUs >= startUs, { path: ["endUs"], message: "must be ≥ startUs" })
    .refine(({ lookup, lnDistance = [] }) => distantSlots(lookup).length === lnDistance.length, {
      path: ["lnDistance"],
      message: `must hold one number for each ${LOOKUP_CODES.extrapolated} and ${LOOKUP_CODES.nearest} of lookup`,
    });
}

/** Whether a price found so lies at a distance from its data. */
export function isDistant(kind: LookupKind): boolean {
  return kind === "extrapolated" || kind === "nearest";
}

/** Components that a number of `lnDistance` belongs to, in its order. */
export function distantSlots(lookup: string): number[] {
  return [...lookup].flatMap((code, slot) => (DISTANT_CODES.includes(code) ? [slot] : []));
}

export type StepLogHeader = Readonly<z.output<typeof stepLogHeaderSchema>>;
export type StepLogEnd = Readonly<z.output<typeof stepLogEndSchema>>;
export type LoggedStep = Readonly<z.output<ReturnType<typeof loggedStepSchema>>>;

/** Letter → word. */
export function meanings(codes: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(codes).map(([word, code]) => [code, word]));
}
