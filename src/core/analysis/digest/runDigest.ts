import type { Server } from "../../engine/createServer.js";
import type { StepObserver } from "../../engine/runResult.js";
import type { SimulationResult } from "../../engine/simulate.js";
import { InvariantError } from "../../errors/simulationError.js";
import { type Quantiles, quantiles, repeatedQuantiles } from "../../metrics/quantiles.js";
import type { RequestRecord } from "../../metrics/requestRecord.js";
import { e2eMs, interTokenMs, ttftMs } from "../../metrics/runMetrics.js";
import { ROW_RESUMED, type ScheduledStep } from "../../scheduler/scheduledStep.js";
import type { Scheduler } from "../../scheduler/scheduler.js";
import { US_PER_MS } from "../../units/units.js";
import { type BoundShare, type BoundTime, BoundTimes, boundShares } from "./boundTimes.js";
import { type RunTimeline, runTimeline } from "./runTimeline.js";
import { type SlowestRequests, slowestRequests } from "./slowestRequests.js";
import { StepTimeline } from "./stepTimeline.js";

/**
 * What kept requests out of steps, as shares of the GPU time; together the time in which any was kept out. A step counts
 * for the first that holds, the scarcest first.
 */
export interface LimitShares {
  /** `maxNumSeqs` were running. */
  readonly sequences: number;
  /** Hardly a KV block was free, or nothing else kept the next request out. */
  readonly kvBlocks: number;
  /** The step's token budget was spent. */
  readonly tokens: number;
}

/** A KV cache so full has no room for the next prompt, however many tokens a step may take. */
const FULL_FRACTION = 0.95;

/** A run as a page shows it; its size does not grow with the run. */
export interface RunDigest {
  /**
   * Of the completed requests; null where none has it. ITL counts each request's mean gap once per gap, `gapMs` every gap
   * that a client saw.
   */
  readonly quantiles: Readonly<Record<"ttftMs" | "itlMs" | "gapMs" | "e2eMs" | "queueMs", Quantiles | null>>;
  readonly timeline: RunTimeline;
  readonly slowest: SlowestRequests;
  readonly steps: number;
  /** GPU time by component, the largest first. */
  readonly components: readonly BoundTime[];
  /** GPU time by what binds it, the largest first. */
  readonly bounds: readonly BoundShare[];
  readonly limits: LimitShares;
}

/** Watches a run and digests it. */
export class RunDigester implements StepObserver {
  readonly #timeline = new StepTimeline();
  readonly #preemptions = new Map<string, number[]>();
  readonly #limitedUs = { sequences: 0, kvBlocks: 0, tokens: 0 };
  #boundTimes: BoundTimes | null = null;
  #maxNumSeqs = 0;
  #maxNumBatchedTokens = 0;
  #gpuUs = 0;

  onStart({ stepModel, engine }: Server): void {
    this.#boundTimes = new BoundTimes(stepModel);
    this.#maxNumSeqs = engine.maxNumSeqs;
    this.#maxNumBatchedTokens = engine.maxNumBatchedTokens;
  }

  onStep(step: ScheduledStep, startUs: number, endUs: number, scheduler: Scheduler): void {
    this.#boundTimes?.onStep(step.batch);
    this.#timeline.onStep(step, startUs, endUs, scheduler);
    this.#notePreemptions(step, startUs);
    this.#gpuUs += endUs - startUs;
    if (scheduler.numWaiting > 0) this.#limitedUs[this.#limitOf(step, scheduler)] += endUs - startUs;
  }

  /** @param result of the run that was watched, its records in order of submission */
  digest({ summary, records, specs, gapsUs }: SimulationResult): RunDigest {
    if (this.#boundTimes === null) throw new InvariantError("a run was digested that had not been watched");
    const components = this.#boundTimes.times(summary.bottleneck, this.#gpuUs);
    const share = (us: number) => (this.#gpuUs > 0 ? us / this.#gpuUs : 0);
    return {
      quantiles: { ...latencyQuantiles(records), gapMs: gapsUs.quantiles(US_PER_MS) },
      timeline: runTimeline(records, specs, this.#timeline),
      slowest: slowestRequests(records, this.#preemptions),
      steps: summary.engine.steps,
      components,
      bounds: boundShares(components),
      limits: {
        sequences: share(this.#limitedUs.sequences),
        kvBlocks: share(this.#limitedUs.kvBlocks),
        tokens: share(this.#limitedUs.tokens),
      },
    };
  }

  /** A request is lost and found in turn, so its times need no labels. */
  #notePreemptions(step: ScheduledStep, startUs: number): void {
    for (let i = 0; i < step.numPreempted; i++) {
      const { id } = step.preempted[i]!;
      const times = this.#preemptions.get(id);
      if (times === undefined) this.#preemptions.set(id, [startUs]);
      else if (times.length % 2 === 0) times.push(startUs);
    }
    for (let row = 0; row < step.numRows; row++) {
      if (step.kind[row] !== ROW_RESUMED) continue;
      const times = this.#preemptions.get(step.requests[row]!.id);
      if (times !== undefined && times.length % 2 === 1) times.push(startUs);
    }
  }

  #limitOf({ batch }: ScheduledStep, scheduler: Scheduler): keyof LimitShares {
    if (scheduler.numRunning >= this.#maxNumSeqs) return "sequences";
    if (scheduler.kvUsageFraction >= FULL_FRACTION) return "kvBlocks";
    return batch.numTokens >= this.#maxNumBatchedTokens ? "tokens" : "kvBlocks";
  }
}

function latencyQuantiles(records: readonly RequestRecord[]): Omit<RunDigest["quantiles"], "gapMs"> {
  const completed = records.filter(({ status }) => status === "completed");
  const of = (latencyMs: (record: RequestRecord) => number) => Float64Array.from(completed, latencyMs);
  const numGaps = Float64Array.from(completed, ({ numOutputTokens }) => Math.max(numOutputTokens - 1, 0));
  return {
    ttftMs: quantiles(of(ttftMs)),
    itlMs: repeatedQuantiles(of(interTokenMs), numGaps),
    e2eMs: quantiles(of(e2eMs)),
    queueMs: quantiles(of(({ queueUs }) => queueUs / US_PER_MS)),
  };
}
