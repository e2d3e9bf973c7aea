import type { ScheduledBatch } from "../batch/scheduledBatch.js";
import type { Server } from "../engine/createServer.js";
import type { RunConfig } from "../engine/runConfig.js";
import { ROOFSERVE_VERSION } from "../engine/version.js";
import type { ScheduledStep } from "../scheduler/scheduledStep.js";
import type { Scheduler } from "../scheduler/scheduler.js";
import type { StepModel } from "../stepmodel/stepModel.js";
import {
  ABSENT_CODE,
  BOUND_CODES,
  isDistant,
  LOOKUP_CODES,
  type LoggedStep,
  meanings,
  SOURCE_CODES,
  STEP_LOG_SCHEMA,
  type StepLogEnd,
  type StepLogHeader,
} from "./stepLog.js";

/** µs are kept to 0.01: a step has fewer than 50 components, so their sum errs by less than the clock's own 0.5. */
const US_STEPS_PER_US = 100;
const KV_STEPS = 1e4;
/** Digits of a distance; a few, but never 0. */
const DISTANCE_DIGITS = 4;

/** Describes the steps of a server as lines of a step log. Prices each step once more, so it costs as much as the run. */
export class StepLogger {
  readonly header: StepLogHeader;
  readonly #stepModel: StepModel;
  readonly #slotOf: ReadonlyMap<string, number>;
  #steps = 0;

  /** @param config the run's config, resolved */
  constructor({ stepModel }: Pick<Server, "stepModel">, config: RunConfig) {
    this.#stepModel = stepModel;
    this.#slotOf = new Map(stepModel.componentNames.map((name, slot) => [name, slot]));
    this.header = {
      schema: STEP_LOG_SCHEMA,
      version: ROOFSERVE_VERSION,
      config,
      components: stepModel.componentNames.map((name, slot) => ({
        name,
        category: stepModel.componentCategories[slot] as string,
      })),
      codes: { bound: meanings(BOUND_CODES), source: meanings(SOURCE_CODES), lookup: meanings(LOOKUP_CODES) },
    };
  }

  /** One step, as its observer is told of it. */
  log(step: ScheduledStep, startUs: number, endUs: number, scheduler: Scheduler): LoggedStep {
    const { batch } = step;
    const { paddedTokens, ...apart } = this.#takeApart(batch);
    this.#steps++;
    return {
      startUs,
      endUs,
      requests: batch.numRequests,
      tokens: batch.numTokens,
      ...rowSums(batch),
      sampled: batch.numSampled,
      paddedTokens,
      preempted: step.numPreempted,
      running: scheduler.numRunning,
      waiting: scheduler.numWaiting,
      kvFraction: Math.round(scheduler.kvUsageFraction * KV_STEPS) / KV_STEPS,
      ...apart,
    };
  }

  /** What closes the log after the steps logged so far. */
  end(): StepLogEnd {
    return { end: { steps: this.#steps } };
  }

  #takeApart(batch: ScheduledBatch) {
    const { components, waits, paddedTokens } = this.#stepModel.breakdown(batch);
    const numSlots = this.#slotOf.size;
    const us = new Array<number>(numSlots).fill(0);
    const bound = new Array<string>(numSlots).fill(ABSENT_CODE);
    const source = new Array<string>(numSlots).fill(ABSENT_CODE);
    const lookup = new Array<string>(numSlots).fill(ABSENT_CODE);
    const distances = new Array<number | null>(numSlots).fill(null);
    for (const { operator, us: componentUs, price, lookup: found } of components) {
      const slot = this.#slotOf.get(operator.name)!;
      us[slot] = roundUs(componentUs);
      bound[slot] = BOUND_CODES[price.boundBy];
      source[slot] = SOURCE_CODES[price.source];
      lookup[slot] = LOOKUP_CODES[found.kind];
      if (isDistant(found.kind)) distances[slot] = Number(found.lnDistance.toPrecision(DISTANCE_DIGITS));
    }
    for (const { name, us: waitUs } of waits) {
      const slot = this.#slotOf.get(name)!;
      us[slot] = roundUs(waitUs);
      bound[slot] = BOUND_CODES.wait;
    }
    const lnDistance = distances.filter((ln) => ln !== null);
    const codes = { bound: bound.join(""), source: source.join(""), lookup: lookup.join("") };
    return { paddedTokens, us, ...codes, ...(lnDistance.length === 0 ? {} : { lnDistance }) };
  }
}

function rowSums(batch: ScheduledBatch): Pick<LoggedStep, "prefillTokens" | "decodes" | "contextTokens"> {
  let prefillTokens = 0;
  let decodes = batch.numLockstep;
  // Context is what was there before the step.
  let contextTokens = batch.sumLockstepContextTokens - batch.numLockstep;
  for (let row = 0; row < batch.numRows; row++) {
    if (batch.isDecode[row] === 1) decodes++;
    else prefillTokens += batch.numNewTokens[row]!;
    contextTokens += batch.numContextTokens[row]!;
  }
  return { prefillTokens, decodes, contextTokens };
}

function roundUs(us: number): number {
  return Math.round(us * US_STEPS_PER_US) / US_STEPS_PER_US;
}
