import { describe, expect, it } from "vitest";
import { ScheduledStep } from "../../../../src/core/scheduler/scheduledStep.js";
import type { Scheduler } from "../../../../src/core/scheduler/scheduler.js";
import { StepTraceRecorder } from "../../../../src/io/results/stepTraceRecorder.js";

/** All the recorder asks of a scheduler. */
const scheduler = { numRunning: 3, numWaiting: 2, kvUsageFraction: 0.5 } as Scheduler;

function record(recorder: StepTraceRecorder, numSteps: number): void {
  const step = new ScheduledStep(4);
  for (let i = 0; i < numSteps; i++) {
    step.clear();
    step.batch.push(1, 100 + i, true);
    step.batch.push(1, 200, true);
    step.batch.push(60, 0, false);
    recorder.onStep(step, i * 10, i * 10 + 8, scheduler);
  }
}

describe("StepTraceRecorder", () => {
  it("keeps what a step was, apart from the step's reused buffers", () => {
    const recorder = new StepTraceRecorder();
    record(recorder, 2);
    expect(recorder.steps).toHaveLength(2);
    expect(recorder.steps[1]).toEqual({
      startUs: 10,
      endUs: 18,
      numTokens: 62,
      numPrefillTokens: 60,
      numDecodes: 2,
      numRequests: 3,
      numRunning: 3,
      numWaiting: 2,
      kvUsageFraction: 0.5,
    });
  });

  it.each([1, 7, 8, 9, 100, 1000])("keeps at most 8 evenly spread steps of %i", (numSteps) => {
    const recorder = new StepTraceRecorder(8);
    record(recorder, numSteps);
    expect(recorder.steps.length).toBeLessThanOrEqual(8);
    expect(recorder.steps.length).toBe(Math.ceil(numSteps / recorder.stride));
    recorder.steps.forEach((step, i) => {
      expect(step.startUs).toBe(i * 10 * recorder.stride);
    });
  });
});
