import * as z from "zod";

/** Requests that GuideLLM 0.4 to 0.6 keeps in flight at most in a `throughput` benchmark without a cap of its own. */
export const GUIDELLM_MAX_CONCURRENCY = 512;

const requestsPerS = z
  .number()
  .min(1e-6)
  .max(1e6)
  .describe("mean arrival rate, requests per second; where data has sessions of several turns, sessions per second");
const rampUpS = z
  .number()
  .min(0)
  .max(1e6)
  .default(0)
  .describe("the first requests start spread over this many seconds");

/** One request at a time: the next is sent when the previous one has ended. */
const synchronousSchema = z.strictObject({ kind: z.literal("synchronous") });

const concurrentSchema = z.strictObject({
  kind: z.literal("concurrent"),
  streams: z.number().int().min(1).max(1_000_000).describe("closed loops, each with one request in flight"),
  rampUpS,
});

const throughputSchema = z.strictObject({
  kind: z.literal("throughput"),
  maxConcurrency: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .nullable()
    .default(GUIDELLM_MAX_CONCURRENCY)
    .describe("requests the client keeps in flight; null = all at once"),
  rampUpS,
});

const constantSchema = z.strictObject({
  kind: z.literal("constant"),
  rate: requestsPerS,
  first: z
    .enum(["after-gap", "at-zero"])
    .default("after-gap")
    .describe("first arrival after one gap (GuideLLM) or at time 0"),
});

const poissonSchema = z.strictObject({
  kind: z.literal("poisson"),
  rate: requestsPerS,
  workers: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(1)
    .describe(
      "worker processes that draw the same gaps, so each gap comes this many times (GuideLLM ≥ 0.4 has up to 10)",
    ),
});

const gammaSchema = z.strictObject({
  kind: z.literal("gamma"),
  rate: requestsPerS,
  burstiness: z
    .number()
    .min(0.001)
    .max(1e6)
    .default(1)
    .describe(
      "shape of the gamma gaps as in vLLM bench: 1 = Poisson, below 1 burstier; CV of the gaps = 1/√burstiness",
    ),
  rescale: z
    .boolean()
    .default(true)
    .describe(
      "stretch the gaps so that the last of n requests arrives at exactly n/rate (vLLM bench); needs a known n",
    ),
});

const traceSchema = z.strictObject({
  kind: z.literal("trace"),
  timeScale: z
    .number()
    .gt(0)
    .max(1e6)
    .default(1)
    .describe("factor on the trace's arrival times: 0.5 = twice the request rate"),
});

/** When requests are sent. */
export const arrivalProfileSchema = z.discriminatedUnion("kind", [
  synchronousSchema,
  concurrentSchema,
  throughputSchema,
  constantSchema,
  poissonSchema,
  gammaSchema,
  traceSchema,
]);

export type ArrivalProfile = z.output<typeof arrivalProfileSchema>;
/** Profiles whose arrivals do not wait for completions and are generated, not read. */
export type OpenLoopProfile = Extract<ArrivalProfile, { kind: "constant" | "poisson" | "gamma" }>;
/** Profiles that keep at most so many requests in flight. */
export type ClosedLoopProfile = Extract<ArrivalProfile, { kind: "synchronous" | "concurrent" | "throughput" }>;
