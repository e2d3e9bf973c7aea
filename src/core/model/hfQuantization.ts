import * as z from "zod";
import type { WeightDtype } from "../units/dtype.js";

const scheme = z.looseObject({ num_bits: z.number().nullish(), type: z.string().nullish() }).nullish();

/** The part of a quantization_config that fixes the bytes of a weight. */
export const hfQuantizationSchema = z.looseObject({
  quant_method: z.string().nullish(),
  /** modelopt names its format here. */
  quant_algo: z.string().nullish(),
  bits: z.number().nullish(),
  /** compressed-tensors: one scheme per group of layers. */
  config_groups: z.record(z.string(), z.looseObject({ weights: scheme })).nullish(),
});

export type HfQuantization = z.output<typeof hfQuantizationSchema>;

/** What can be read, for messages. */
export const SUPPORTED_QUANTIZATION =
  "must be fp8 (also fbgemm_fp8, modelopt FP8, compressed-tensors float 8 bit) or 4-bit integers (awq, gptq, compressed-tensors); others are not supported yet";

/** @returns the type of quantised weights, or null for a format we have no byte count for */
export function quantizedWeightDtype(quantization: HfQuantization): WeightDtype | null {
  // modelopt exports name no method, only the algorithm.
  const method = quantization.quant_method ?? (quantization.quant_algo ? "modelopt" : "");
  switch (method.toLowerCase()) {
    case "fp8":
    case "fbgemm_fp8":
      return "fp8";
    case "modelopt":
      return /^fp8/i.test(quantization.quant_algo ?? "") ? "fp8" : null;
    case "awq":
    case "awq_marlin":
    case "gptq":
    case "gptq_marlin":
      return (quantization.bits ?? 4) === 4 ? "int4" : null;
    case "compressed-tensors":
      return compressedDtype(quantization);
    default:
      return null;
  }
}

/** compressed-tensors: the dtype all groups agree on. */
function compressedDtype(quantization: HfQuantization): WeightDtype | null {
  const found = new Set<WeightDtype | null>();
  for (const { weights } of Object.values(quantization.config_groups ?? {})) {
    const isFloat = weights?.type === "float";
    if (isFloat && weights.num_bits === 8) found.add("fp8");
    else if (weights?.type === "int" && weights.num_bits === 4) found.add("int4");
    else found.add(null);
  }
  return found.size === 1 ? ([...found][0] ?? null) : null;
}
