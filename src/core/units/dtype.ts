/** Element types of weights and activations; int4 stands for AWQ/GPTQ weight-only quantisation. */
export type WeightDtype = "bf16" | "fp16" | "fp8" | "int4";
/** Element types of the KV cache. */
export type KvDtype = "bf16" | "fp16" | "fp8";

/** Bytes of one weight; int4 counts its group scales and zero points (group of 128: +0.5 bit + 0.125 bit) separately. */
export const DTYPE_BYTES: Readonly<Record<WeightDtype, number>> = { bf16: 2, fp16: 2, fp8: 1, int4: 0.5 };
