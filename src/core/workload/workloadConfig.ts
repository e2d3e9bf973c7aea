import * as z from "zod";
import { arrivalProfileSchema } from "./arrivalConfig.js";
import { workloadDataSchema } from "./dataConfig.js";

const maxSeconds = z.number().gt(0).max(1e9).nullable().default(null);

/**
 * A whole workload: when requests are sent, what they ask, and when to stop. The presets in `workloads/` are of this
 * shape; types, defaults and help come from this one object.
 */
export const workloadConfigSchema = z.strictObject({
  description: z.string().default("").describe("what the workload stands for"),
  sources: z.array(z.string()).default([]).describe("where its numbers come from"),
  profile: arrivalProfileSchema.describe("when requests are sent"),
  data: workloadDataSchema.describe("what requests ask"),
  maxRequests: z
    .number()
    .int()
    .min(1)
    .max(1e9)
    .nullable()
    .default(null)
    .describe("stop sending after this many requests; null = no limit"),
  maxSeconds: maxSeconds.describe("stop sending after this many simulated seconds; null = no limit"),
  atMaxSeconds: z
    .enum(["cancel", "drain"])
    .default("cancel")
    .describe("requests in flight when that time is over are given up, as GuideLLM does, or may finish"),
  timeoutS: maxSeconds.describe("clients give up this many seconds after sending; null = never"),
  priority: z
    .number()
    .int()
    .min(-1_000_000)
    .max(1_000_000)
    .default(0)
    .describe("priority of every request; lower is more urgent"),
});

export type WorkloadConfig = z.output<typeof workloadConfigSchema>;
export type WorkloadConfigInput = z.input<typeof workloadConfigSchema>;
