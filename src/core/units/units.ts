/** Factors between the units users write and the ones used inside (µs, bytes, FLOPs). */
export const US_PER_S = 1e6;
export const US_PER_MS = 1e3;
export const MS_PER_S = 1e3;
export const S_PER_HOUR = 3600;
export const BYTES_PER_GIB = 2 ** 30;
