import * as z from "zod";

/** Step models that `--step-model` knows: ours, and the two baselines it is compared with. */
export const STEP_MODELS = ["additive", "roofline-v2", "roofline-v1"] as const;
export type StepModelName = (typeof STEP_MODELS)[number];

/**
 * What the additive model corrects in roofline-v2, each a claim that can be tested alone:
 * H1 achieved instead of datasheet bandwidth; H2 waits and CPU time of a step instead of a fixed 50 µs;
 * H3 fused QKV and gate-up products; H4 a roofline per kernel instead of one over the whole step;
 * H5 an additive mix of prefill and decode instead of a weighted one; H6 interpolated instead of nearest efficiencies.
 */
export const HYPOTHESES = ["H1", "H2", "H3", "H4", "H5", "H6"] as const;
export type Hypothesis = (typeof HYPOTHESES)[number];

const path = (what: string) => z.string().min(1).nullable().default(null).describe(what);

/** What prices engine steps, and what corrects the prices. */
export const pricingConfigSchema = z.strictObject({
  stepModel: z
    .enum(STEP_MODELS)
    .default("additive")
    .describe("what prices a step: our model, or a baseline to compare it with"),
  toggleHypotheses: z
    .string()
    .toUpperCase()
    .regex(/^H[1-6](,H[1-6])*$/, "must be hypotheses separated by commas, H1 to H6, e.g. H1,H3")
    .nullable()
    .default(null)
    .describe("corrections to take from the additive model, or to add to roofline-v2: H1 to H6, separated by commas"),
  calibration: path("file of `roofserve calibrate`: server constants fitted to a run of yours"),
  characterization: path("file of `roofserve characterize`: bandwidths and launch gaps measured on this GPU"),
  kernelEfficiency: path(
    "file of `roofserve bench-data fit`: kernel efficiencies fitted to measurements, of this GPU or of another to carry over",
  ),
  fileSha256: z
    .record(z.string(), z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in hexadecimal"))
    .optional()
    .describe(
      "SHA-256 of these files, and of a folder of kernel tables, by path, as a result states them: who uses it again hears of a change",
    ),
});

export type PricingConfig = z.output<typeof pricingConfigSchema>;

/** The hypotheses a config toggles, each once. */
export function toggledHypotheses({ toggleHypotheses }: Pick<PricingConfig, "toggleHypotheses">): Set<Hypothesis> {
  return new Set((toggleHypotheses?.split(",") ?? []) as Hypothesis[]);
}
