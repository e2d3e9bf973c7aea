import * as z from "zod";

/** First key of such a file. */
export const GPU_EFFICIENCY_SCHEMA_ID = "roofserve.gpuEfficiency/1";

const positive = () => z.number().positive().finite();
const nonNegative = () => z.number().min(0).finite();
const fraction = () => z.number().gt(0).max(1);
const ascending = () =>
  z
    .array(positive())
    .min(1)
    .max(64)
    .refine((knots) => knots.every((knot, i) => i === 0 || knot > knots[i - 1]!), "must ascend")
    .readonly();

const surfaceSchema = () =>
  z
    .strictObject({
      knots: z
        .tuple([ascending(), ascending(), ascending()])
        .readonly()
        .describe("shape numbers at which the correction is given"),
      lnFactors: z
        .array(z.number().min(-4).max(4))
        .max(4096)
        .readonly()
        .describe("ln of the factor on the base time, row-major"),
    })
    .refine(
      ({ knots, lnFactors }) => lnFactors.length === knots[0].length * knots[1].length * knots[2].length,
      "lnFactors must have one value per knot combination",
    );

/** launchUs + 2-norm(bytes / (BW · memoryEfficiency), FLOPs / (peak · computeEfficiency)), times the surface. */
const roofSchema = () =>
  z.strictObject({
    launchUs: nonNegative().describe("µs that remain at vanishing work"),
    memoryEfficiency: fraction().describe("fraction of datasheet bandwidth reached by large memory-bound shapes"),
    computeEfficiency: fraction().describe("fraction of datasheet FLOP/s reached by large compute-bound shapes"),
    surface: surfaceSchema().nullable(),
  });

const decodeAttentionSchema = () =>
  z.strictObject({
    launchUs: nonNegative().describe("µs of one launch, KV write included"),
    waveUs: nonNegative().describe("µs per wave of (requests × KV heads) over the SMs"),
    rampUs: nonNegative().describe("µs that streaming loses before it reaches its bandwidth"),
    memoryEfficiency: fraction().describe("fraction of datasheet bandwidth when streaming KV"),
    groupSurface: surfaceSchema().nullable().describe("over requests × KV heads, context, query heads per KV head"),
    kvHeadSurface: surfaceSchema().nullable().describe("over requests × KV heads, context, KV heads"),
  });

const prefillAttentionSchema = () =>
  z
    .strictObject({
      launchUs: nonNegative().describe("µs of one launch, KV write included"),
      waveUs: nonNegative().describe("µs per wave of (chunks × KV heads) over the SMs"),
      memoryEfficiency: fraction().describe("fraction of datasheet bandwidth when streaming the context's KV"),
      tileLatencyFraction: nonNegative().describe("share of the longest tile's compute time that nothing overlaps"),
      kvHeadTokenPs: nonNegative().describe("ps per new token and KV head (KV write)"),
      contextTokens: ascending().describe("positions at which headTokenPs is given"),
      headTokenPs: z.array(positive()).describe("ps per new token and query head at that position, non-decreasing"),
    })
    .refine(
      (fit) =>
        fit.headTokenPs.length === fit.contextTokens.length &&
        fit.headTokenPs.every((ps, i) => i === 0 || ps >= fit.headTokenPs[i - 1]!),
      "headTokenPs must have one non-decreasing value per position",
    );

const mlaDecodeSchema = () =>
  z.strictObject({
    launchUs: nonNegative().describe("µs that remain at vanishing work: launches, KV write, copies of queries"),
    waveUs: nonNegative().describe("µs per wave of requests over the SMs"),
    queryHeadPs: nonNegative().describe("ps per request and head: latent queries in, latent outputs out"),
    rampUs: nonNegative().describe("µs that streaming loses before it reaches its bandwidth"),
    memoryEfficiency: fraction().describe("fraction of datasheet bandwidth when streaming latents"),
    computeEfficiency: fraction().describe("fraction of datasheet bf16 FLOP/s of many heads over long contexts"),
    rowTokenPs: nonNegative().describe("ps per token of context that a request alone takes at least"),
    surface: surfaceSchema().nullable().describe("over requests, context, heads"),
  });

/** Of latent attention; what is null is priced from the GPU's other attention. */
const mlaSchema = () =>
  z.strictObject({
    decode: z.strictObject({ bf16: mlaDecodeSchema(), fp8: mlaDecodeSchema().nullable() }),
    prefill: prefillAttentionSchema().nullable().describe("of expanded keys and values, 16-bit"),
  });

const collectiveSchema = () =>
  z
    .strictObject({
      numRanks: z.number().int().min(2),
      messageBytes: ascending(),
      us: z.array(positive()),
    })
    .refine(
      ({ messageBytes, us }) => us.length === messageBytes.length && us.every((t, i) => i === 0 || t >= us[i - 1]!),
      "us must have one non-decreasing value per message size",
    );

const fitReportSchema = () =>
  z.strictObject({
    family: z.string(),
    dtype: z.string(),
    table: z.string().describe("measurement table and its engine version"),
    numRows: z.number().int(),
    numExcludedRows: z.number().int().describe("rows that ran from L2, or were duplicates or outliers"),
    mapePercent: nonNegative().describe("mean |error| on the fitted rows"),
    mapeAllRowsPercent: nonNegative().describe("mean |error| on every row, L2-resident ones included"),
    heldOutMapePercent: nonNegative().describe("mean |error| on the half of the shapes the fit did not see"),
    buckets: z.array(
      z.strictObject({
        bucket: z.string().describe("what is counted, and up to how much of it"),
        upTo: positive().nullable().describe("largest size in the bucket; null = all above the others"),
        numRows: z.number().int(),
        mapePercent: nonNegative(),
        shapeMapePercent: nonNegative()
          .nullable()
          .describe(
            "mean over unseen shapes, such as models have, of the |mean error| of a shape's rows; null without any",
          ),
      }),
    ),
  });

/**
 * How close to its datasheet a GPU comes, per kernel family: all the kernel model knows besides the `GpuSpec`.
 * Parameters only; the measurements they were fitted to are named in `source` and not contained.
 * Built on first use: most runs take the shipped files, which need no check, and should not wait for it.
 */
export const gpuEfficiencySchema = z.lazy(() => efficiencySchema());

const efficiencySchema = () =>
  z.strictObject({
    schema: z.literal(GPU_EFFICIENCY_SCHEMA_ID),
    gpu: z.string().describe("id of the GPU it was fitted on"),
    source: z.string().describe("measurements the parameters were fitted to"),
    reference: z
      .strictObject({
        bandwidthBytesPerS: positive(),
        bf16FlopsPerS: positive(),
        fp8FlopsPerS: positive().nullable(),
        numSms: z.number().int().positive(),
        l2Bytes: positive(),
        interconnectBytesPerS: positive(),
        interconnectKind: z.enum(["nvlink", "pcie"]),
      })
      .describe("datasheet values the efficiencies are fractions of"),
    gemm: z.strictObject({ bf16: roofSchema(), fp8: roofSchema().nullable(), int4: roofSchema().nullable() }),
    groupedGemm: z.strictObject({ bf16: roofSchema(), fp8: roofSchema().nullable(), int4: roofSchema().nullable() }),
    decodeAttention: z.strictObject({ bf16: decodeAttentionSchema(), fp8: decodeAttentionSchema().nullable() }),
    prefillAttention: z.strictObject({ bf16: prefillAttentionSchema(), fp8: prefillAttentionSchema().nullable() }),
    mla: mlaSchema().optional().describe("latent attention; without it the GPU's other attention prices it"),
    allReduce: z.array(collectiveSchema()).min(1),
    elementwise: z.strictObject({ launchUs: positive(), memoryEfficiency: fraction() }),
    sampler: z.strictObject({
      launchUs: positive().describe("µs of sampling at vanishing work"),
      memoryEfficiency: fraction(),
      sortLaunchUs: nonNegative().describe("µs added when logits are sorted"),
      sortPsPerLogit: nonNegative().describe("ps per logit added when logits are sorted"),
    }),
    fits: z.array(fitReportSchema()),
  });

export type GpuEfficiency = Readonly<z.output<ReturnType<typeof efficiencySchema>>>;
export type RoofEfficiency = Readonly<z.output<ReturnType<typeof roofSchema>>>;
export type DecodeAttentionEfficiency = Readonly<z.output<ReturnType<typeof decodeAttentionSchema>>>;
export type PrefillAttentionEfficiency = Readonly<z.output<ReturnType<typeof prefillAttentionSchema>>>;
export type MlaDecodeEfficiency = Readonly<z.output<ReturnType<typeof mlaDecodeSchema>>>;
export type MlaEfficiency = Readonly<z.output<ReturnType<typeof mlaSchema>>>;
export type CollectiveEfficiency = Readonly<z.output<ReturnType<typeof collectiveSchema>>>;
export type KernelFitReport = Readonly<z.output<ReturnType<typeof fitReportSchema>>>;
