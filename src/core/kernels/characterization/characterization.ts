import * as z from "zod";

/** How kernels touch memory: the patterns a GPU is characterised by. */
export const ACCESS_PATTERNS = ["sequential", "scattered", "mixed"] as const;
export type AccessPattern = (typeof ACCESS_PATTERNS)[number];

export const CHARACTERIZATION_SCHEMA_ID = "roofserve.characterization/1";

/** Rounding that a fraction written to a file may have. */
const FRACTION_TOLERANCE = 1e-3;

/** Built when a file is read, since few runs read one. */
function buildSchema() {
  const positive = z.number().positive().finite();
  const nonNegative = z.number().min(0).finite();
  const count = z.number().int().min(0);

  const bandwidthSchema = z.strictObject({
    bytesPerS: positive.describe("achieved bandwidth: bytes over latency, the launch not counted"),
    fraction: z.number().gt(0).max(1).describe("of the datasheet's bandwidth"),
    blockBytes: z
      .number()
      .int()
      .positive()
      .nullable()
      .describe("contiguous bytes of a random block; null = sequential"),
    launchUs: z.number().describe("µs that remain at vanishing bytes; below 0 where caches helped"),
    spreadFraction: nonNegative.describe("median distance of rows from the fitted line, as a share of their latency"),
    numRows: count.describe("rows the line was fitted to"),
    numCachedRows: count.describe("rows left out because their working set may lie in the L2 cache"),
  });

  const launchGapSchema = z.strictObject({
    us: nonNegative.describe("µs a kernel waits when another kernel than itself ran before it, beyond its own launch"),
    spreadUs: nonNegative.describe("median distance of the graphs from the fitted line, per kernel"),
    numRows: count,
  });
  return z
    .strictObject({
      schema: z.literal(CHARACTERIZATION_SCHEMA_ID),
      gpu: z.string().min(1).describe("id of the GPU that was measured"),
      source: z.string().describe("who measured, with what"),
      datasheetBytesPerS: positive.describe("bandwidth that the fractions are fractions of"),
      sequential: bandwidthSchema.nullable().describe("reading one array front to back: weights, activations"),
      scattered: bandwidthSchema.nullable().describe("reading blocks in random order: paged KV"),
      mixed: bandwidthSchema.nullable().describe("one kernel reading as much of the one as of the other"),
      launchGap: launchGapSchema.nullable(),
    })
    .refine((all) => all.launchGap !== null || ACCESS_PATTERNS.some((pattern) => all[pattern] !== null), {
      message: "must have at least one of sequential, scattered, mixed and launchGap",
    })
    .refine(
      (all) =>
        ACCESS_PATTERNS.every((pattern) => {
          const measured = all[pattern];
          const fraction = (measured?.bytesPerS ?? 0) / all.datasheetBytesPerS;
          return measured === null || Math.abs(measured.fraction - fraction) <= FRACTION_TOLERANCE;
        }),
      { message: "must have fractions that are bytesPerS over datasheetBytesPerS" },
    );
}

/** What the micro-benchmarks of one GPU came to; a pattern that was not measured is null. */
export const characterizationSchema = z.lazy(buildSchema);

export type Characterization = Readonly<z.output<typeof characterizationSchema>>;
/** Achieved bandwidth of one access pattern. */
export type AchievedBandwidth = Readonly<NonNullable<Characterization["sequential"]>>;
/** What kernels of different kinds wait for between each other. */
export type LaunchGap = Readonly<NonNullable<Characterization["launchGap"]>>;
