import { US_PER_S } from "../../units/units.js";
import type { ExplainReport } from "../explainReport.js";
import type { ComparedRun } from "./comparedRun.js";
import { type Change, changeOf } from "./metricChange.js";

/** Time that a part of all steps takes, µs of the run; 0 where a run does without it. */
export interface PartChange {
  readonly name: string;
  readonly aUs: number;
  readonly bUs: number;
  readonly changeUs: number;
  /** The same per step of the run, µs. */
  readonly aStepUs: number;
  readonly bStepUs: number;
  readonly changeStepUs: number;
  /** `changeStepUs` as a fraction of the change of the mean step; null where that is 0. They add up to 1. */
  readonly shareOfChange: number | null;
}

/** What became of the GPU's time, taken apart in ways that each add up to the whole. */
export interface GpuTimeChange {
  /** `step-log`: as every step was logged. `summary`: shares of the busy time. */
  readonly source: "step-log" | "summary";
  readonly steps: Change;
  /** All GPU time, and without it, µs of the run; together the simulated time. */
  readonly gpuUs: Change;
  readonly idleUs: Change;
  /** GPU time of the mean step, µs, and the time without it beside each. */
  readonly stepUs: Change;
  readonly idleStepUs: Change;
  /** Of the change of `gpuUs`: what more or fewer steps make, and what longer or shorter ones do. They add up to it. */
  readonly byNumberUs: number;
  readonly byLengthUs: number;
  /** By component, the largest change per step first. */
  readonly components: readonly PartChange[];
  /** By what binds them, and by kind of step; null without both step logs. */
  readonly bounds: readonly PartChange[] | null;
  readonly phases: readonly PartChange[] | null;
}

/** Time by name. */
type Parts = readonly (readonly [name: string, us: number])[];

/** Compares what two runs' GPUs did; the step logs are used where both are there. */
export function gpuTimeChange(a: ComparedRun, b: ComparedRun): GpuTimeChange {
  const [logA, logB] = [a.steps, b.steps];
  const isLogged = logA !== null && logB !== null;
  const steps = changeOf(a.summary.engine.steps, b.summary.engine.steps);
  const partsA = isLogged ? loggedComponents(logA) : summaryComponents(a);
  const partsB = isLogged ? loggedComponents(logB) : summaryComponents(b);
  const [gpuA, gpuB] = [total(partsA), total(partsB)];
  const [countA, countB] = [a.summary.engine.steps, b.summary.engine.steps];
  const [stepA, stepB] = [perStep(gpuA, countA), perStep(gpuB, countB)];
  const [idleA, idleB] = [simulatedUs(a) - gpuA, simulatedUs(b) - gpuB];
  const changes = (ofA: Parts, ofB: Parts) => partChanges(ofA, ofB, [countA, countB], stepB - stepA);
  return {
    source: isLogged ? "step-log" : "summary",
    steps,
    gpuUs: changeOf(gpuA, gpuB),
    idleUs: changeOf(idleA, idleB),
    stepUs: changeOf(stepA, stepB),
    idleStepUs: changeOf(perStep(idleA, countA), perStep(idleB, countB)),
    // Each factor's change at the mean of the other: exact, and the same from either side.
    byNumberUs: ((countB - countA) * (stepA + stepB)) / 2,
    byLengthUs: ((stepB - stepA) * (countA + countB)) / 2,
    components: changes(partsA, partsB),
    bounds: isLogged ? changes(loggedBounds(logA), loggedBounds(logB)) : null,
    phases: isLogged ? changes(loggedPhases(logA), loggedPhases(logB)) : null,
  };
}

function simulatedUs({ summary }: ComparedRun): number {
  return summary.engine.simulatedS * US_PER_S;
}

function summaryComponents(run: ComparedRun): Parts {
  const busyUs = run.summary.engine.busyFraction * simulatedUs(run);
  return Object.entries(run.summary.bottleneck).map(([name, share]) => [name, share * busyUs]);
}

function loggedComponents({ components }: Pick<ExplainReport, "components">): Parts {
  return components.map(({ name, us }) => [name, us]);
}

function loggedBounds({ bounds }: Pick<ExplainReport, "bounds">): Parts {
  return bounds.map(({ bound, us }) => [bound, us]);
}

function loggedPhases({ phases }: Pick<ExplainReport, "phases">): Parts {
  return phases.map(({ phase, us }) => [phase, us]);
}

function total(parts: Parts): number {
  return parts.reduce((sum, [, us]) => sum + us, 0);
}

function perStep(us: number, numSteps: number): number {
  return numSteps === 0 ? 0 : us / numSteps;
}

function partChanges(
  a: Parts,
  b: Parts,
  [stepsA, stepsB]: readonly [number, number],
  changeOfStepUs: number,
): PartChange[] {
  const [ofA, ofB] = [new Map(a), new Map(b)];
  const names = [...new Set([...ofA.keys(), ...ofB.keys()])].sort();
  return names
    .map((name): PartChange => {
      const [aUs, bUs] = [ofA.get(name) ?? 0, ofB.get(name) ?? 0];
      const [aStepUs, bStepUs] = [perStep(aUs, stepsA), perStep(bUs, stepsB)];
      const changeStepUs = bStepUs - aStepUs;
      const shareOfChange = changeOfStepUs === 0 ? null : changeStepUs / changeOfStepUs;
      return { name, aUs, bUs, changeUs: bUs - aUs, aStepUs, bStepUs, changeStepUs, shareOfChange };
    })
    .sort((x, y) => Math.abs(y.changeStepUs) - Math.abs(x.changeStepUs));
}
