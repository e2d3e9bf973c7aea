/**
 * The one place where a step's fractional µs become simulated time. At least 1: a step of no length could stall the
 * clock.
 */
export function gpuStepUs(fractionalUs: number): number {
  return Math.max(1, Math.round(fractionalUs));
}
