import type { StepObserver } from "./runResult.js";

/** Several observers as one, told in their order; null when there is none, so that the engine skips the call. */
export function observeAll(observers: readonly StepObserver[]): StepObserver | null {
  const [first] = observers;
  if (first === undefined) return null;
  if (observers.length === 1) return first;
  return {
    onStart(server, config) {
      for (const observer of observers) observer.onStart?.(server, config);
    },
    onStep(step, startUs, endUs, scheduler) {
      for (const observer of observers) observer.onStep(step, startUs, endUs, scheduler);
    },
  };
}
