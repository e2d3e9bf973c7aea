import type { RunConfig } from "../../engine/runConfig.js";
import { InvariantError } from "../../errors/simulationError.js";
import { isSettled, settlingS } from "../sweep/settled.js";
import type { SweepRun } from "../sweep/sweepRun.js";
import { holdsSlo, type PlanTrial } from "./planTrial.js";
import type { MeanRequest } from "./servedTokens.js";

/** Offers a load to a server. @param stopsEarly whether nobody asks for more than whether the SLO holds */
export type TryLoad = (config: RunConfig, stopsEarly: boolean) => Promise<PlanTrial>;

/** A trial that was not stopped. */
export type WholeTrial = PlanTrial & { readonly run: SweepRun; readonly meanRequest: MeanRequest };

/**
 * Mean latencies that a trial must last before it is believed that its SLO holds. Near saturation percentiles grow long after
 * the queue has shown that it does not: an H100 that kept p95 ITL for 15 of them at 19 chat requests/s did so at 17.5 for 40.
 */
export const HOLDING_LATENCIES = 40;
/** Most requests that a trial is given, as a multiple of those the user asked for: a power of two. */
const MAX_MULTIPLE = 64;

/**
 * Trials of one seed that are long enough to believe them when they say that the SLO holds: a fast server gets through the
 * requests of one before it has settled. Each begins as long as the one before had to be.
 */
export class SettledTrials {
  readonly #tryLoad: TryLoad;
  readonly #numLatencies: number;
  #multiple: number;

  /**
   * @param multiple how many times the requests asked for the first trial has
   * @param longer how many times as long as it takes to believe them trials are
   */
  constructor(tryLoad: TryLoad, { multiple = 1, longer = 1 } = {}) {
    this.#tryLoad = tryLoad;
    this.#numLatencies = longer * HOLDING_LATENCIES;
    this.#multiple = multiple * longer;
  }

  /** How many times the requests asked for the last trial had. */
  get multiple(): number {
    return this.#multiple;
  }

  /** Whether the SLO holds: a trial that fails would fail the more the longer it is. */
  verdict(config: RunConfig): Promise<PlanTrial> {
    return this.#longer(
      config,
      (load) => this.#tryLoad(load, true),
      (trial) => !holdsSlo(trial),
    );
  }

  /** A trial whose numbers are asked for. */
  whole(config: RunConfig): Promise<WholeTrial> {
    return this.#longer(
      config,
      (load) => wholeTrial(load, this.#tryLoad),
      () => false,
    );
  }

  /** As long as it takes, in powers of two, so that trials of one seed ask the same; as it is at `MAX_MULTIPLE`. */
  async #longer<T extends PlanTrial>(
    config: RunConfig,
    run: (config: RunConfig) => Promise<T>,
    isEnough: (trial: T) => boolean,
  ): Promise<T> {
    for (;;) {
      const trial = await run(withRequests(config, this.#multiple));
      if (isEnough(trial) || trial.run === null || this.#multiple >= MAX_MULTIPLE) return trial;
      const missing = this.#lengthMissing(trial.run);
      if (missing <= 1) return trial;
      this.#multiple = Math.min(MAX_MULTIPLE, this.#multiple * 2 ** Math.ceil(Math.log2(missing)));
    }
  }

  /** Times as long as it is that a run would have to be. At most 1 where it is long enough. */
  #lengthMissing(run: SweepRun): number {
    if (isSettled(run, this.#numLatencies)) return 1;
    // A run of one request has no length.
    return run.arrivalSpanS > 0 ? Math.max(2, settlingS(run, this.#numLatencies) / run.arrivalSpanS) : 2;
  }
}

/** Whether a load is carried for as long as it takes to believe it. */
export function isCarried(trial: PlanTrial): boolean {
  return holdsSlo(trial) && trial.run !== null && isSettled(trial.run, HOLDING_LATENCIES);
}

export async function wholeTrial(config: RunConfig, tryLoad: TryLoad): Promise<WholeTrial> {
  const trial = await tryLoad(config, false);
  const { run, meanRequest } = trial;
  if (run === null || meanRequest === null) throw new InvariantError("a trial was stopped that is needed whole");
  return { ...trial, run, meanRequest };
}

function withRequests(config: RunConfig, multiple: number): RunConfig {
  const { workload } = config;
  if (workload.maxRequests === null) throw new InvariantError("a trial without a number of requests");
  return { ...config, workload: { ...workload, maxRequests: workload.maxRequests * multiple } };
}
