import * as z from "zod";
import { parseConfig } from "../config/parseConfig.js";
import type { GpuSpec } from "./gpuSpec.js";

const source = z.string().min(1).describe("document or page the numbers of this group come from");
const flopsPerS = z.number().min(1e12).max(1e17);

/** A GPU spec file; unknown keys, wrong units (a peak in TFLOP/s, a capacity in GB) and missing sources are refused. */
export const gpuSpecSchema = z.strictObject({
  id: z.string().min(1).describe("name users write, e.g. H100"),
  aliases: z.array(z.string().min(1)).default([]).describe("other names for it"),
  name: z.string().min(1).describe("product name; A100s are told by it"),
  memory: z.strictObject({
    source,
    capacityBytes: z.number().int().min(1e9).max(1e13).describe("bytes the driver reports as total"),
    bandwidthBytesPerS: z.number().min(1e10).max(1e14).describe("peak of the memory, bytes/s"),
    l2Bytes: z.number().int().min(1e5).max(1e10),
  }),
  compute: z.strictObject({
    source,
    numSms: z.number().int().min(1).max(10_000),
    bf16FlopsPerS: flopsPerS.describe("dense bf16 tensor-core peak, FLOP/s"),
    fp8FlopsPerS: flopsPerS.nullable().describe("dense fp8 tensor-core peak, FLOP/s; null where the chip has none"),
  }),
  interconnect: z.strictObject({
    source,
    kind: z.enum(["nvlink", "pcie"]),
    bandwidthBytesPerS: z.number().min(1e9).max(1e13).describe("bytes/s one GPU can send to its peers, one direction"),
  }),
});

/** A GPU spec with the other names it goes by. */
export type GpuSpecFile = z.output<typeof gpuSpecSchema> & GpuSpec;

/** Checks a GPU spec given as parsed JSON. @throws ConfigError listing all problems */
export function parseGpuSpec(json: unknown, sourceName: string): GpuSpecFile {
  return parseConfig(gpuSpecSchema, json, sourceName);
}
