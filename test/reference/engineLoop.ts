import type { Request } from "../../src/core/request/request.js";
import { ScheduledStep } from "../../src/core/scheduler/scheduledStep.js";
import type { Scheduler } from "../../src/core/scheduler/scheduler.js";

/** A request, and the number of the schedule before which it arrives (from 1). */
export interface Arrival {
  readonly request: Request;
  readonly arriveStep: number;
}

/** What to look at while the loop runs; step numbers count from 1, empty steps included. */
export interface LoopObserver {
  beforeSchedule?(nextStep: number, numInFlight: number): void;
  afterSchedule?(step: ScheduledStep, stepNumber: number): void;
  beforeUpdate?(step: ScheduledStep, stepNumber: number): void;
  /** @param nextStep number of the schedule that will follow this update */
  afterUpdate?(step: ScheduledStep, stepNumber: number, nextStep: number): void;
}

/**
 * vLLM's engine loop without time: plans a step and, unless more may be in flight, completes the oldest.
 * @param depth steps in flight at most: 1, or 2 for asynchronous scheduling, or the number of pipeline stages
 * @returns steps planned
 */
export function runEngineLoop(
  scheduler: Scheduler,
  arrivals: readonly Arrival[],
  depth: number,
  observer: LoopObserver,
  maxSteps = 20_000,
): number {
  const inFlight: { step: ScheduledStep; stepNumber: number }[] = [];
  let numSteps = 0;
  let numArrived = 0;
  for (;;) {
    while (numArrived < arrivals.length && arrivals[numArrived]!.arriveStep <= numSteps + 1) {
      scheduler.add(arrivals[numArrived++]!.request);
    }
    observer.beforeSchedule?.(numSteps + 1, inFlight.length);
    if (scheduler.hasRequests) {
      const step = new ScheduledStep(scheduler.config.maxNumSeqs);
      scheduler.schedule(step);
      observer.afterSchedule?.(step, ++numSteps);
      inFlight.push({ step, stepNumber: numSteps });
      if (numSteps > maxSteps) throw new Error(`no end after ${maxSteps} steps`);
      if (step.numRequests > 0 && inFlight.length < depth) continue;
    } else if (inFlight.length === 0) {
      if (numArrived === arrivals.length) return numSteps;
      // Idle until the next arrival: as if the schedules before it had been empty.
      numSteps = Math.max(numSteps, arrivals[numArrived]!.arriveStep - 1);
      continue;
    }
    const oldest = inFlight.shift()!;
    observer.beforeUpdate?.(oldest.step, oldest.stepNumber);
    scheduler.update(oldest.step);
    observer.afterUpdate?.(oldest.step, oldest.stepNumber, numSteps + 1);
  }
}
