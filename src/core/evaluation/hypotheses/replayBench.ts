import type { Hypothesis, StepModelName } from "../../config/pricingConfig.js";
import { createServer, type Deployment, type Server, type ServerConstants } from "../../engine/createServer.js";
import { runServer } from "../../engine/simulate.js";
import { distribution } from "../../metrics/distribution.js";
import type { MeasuredExperiment } from "../../metrics/measuredExperiment.js";
import { e2eMs } from "../../metrics/runMetrics.js";
import { compareRun, type RunComparison } from "../compareRun.js";
import type { ServerRunConfig } from "../evaluateRun.js";
import { replayWorkload } from "../replayRun.js";
import type { End } from "./finding.js";
import type { LoadPoint } from "./loadPoints.js";

/** A measured experiment with the config that replays it. */
export interface BenchExperiment {
  readonly experiment: MeasuredExperiment;
  readonly config: ServerRunConfig;
}

/** A step model with some of its hypotheses toggled, and constants of the server where they are not the built-in ones. */
export interface Variant {
  readonly stepModel: StepModelName;
  readonly toggled: readonly Hypothesis[];
  readonly constants?: ServerConstants;
}

/** The model with the correction, and without it, at one end. */
export function variants(end: End, hypothesis: Hypothesis): { on: Variant; off: Variant } {
  const plain = { stepModel: end, toggled: [] };
  const toggled = { stepModel: end, toggled: [hypothesis] };
  return end === "additive" ? { on: plain, off: toggled } : { on: toggled, off: plain };
}

/** One load point replayed. */
export interface Replay {
  readonly comparison: RunComparison;
  /** Standard deviation over requests of predicted / measured E2E, as a fraction of its mean: 0 = always off alike. */
  readonly e2eRatioSpread: number;
}

/** Replays load points on any variant of the step models; deployments are loaded once. */
export class ReplayBench {
  readonly #load: (config: ServerRunConfig) => Deployment;
  readonly #onReplay: (what: string) => void;
  readonly #deployments = new Map<string, Deployment>();
  readonly #replays = new WeakMap<LoadPoint, Map<string, Replay>>();

  constructor(load: (config: ServerRunConfig) => Deployment, onReplay: (what: string) => void) {
    this.#load = load;
    this.#onReplay = onReplay;
  }

  server({ config }: BenchExperiment, { stepModel, toggled, constants }: Variant): Server {
    const pricing = { ...config.pricing, stepModel, toggleHypotheses: toggled.length === 0 ? null : toggled.join(",") };
    const key = JSON.stringify([config.model, config.gpu, config.benchData, pricing]);
    const deployment = this.#deployments.get(key) ?? this.#load({ ...config, pricing });
    this.#deployments.set(key, deployment);
    return createServer(
      constants === undefined ? deployment : { ...deployment, constants },
      config.engine,
      config.sampling,
    );
  }

  replay(bench: BenchExperiment, point: LoadPoint, variant: Variant): Replay {
    const replays = this.#replays.get(point) ?? new Map<string, Replay>();
    this.#replays.set(point, replays);
    const key = JSON.stringify(variant);
    const known = replays.get(key);
    if (known !== undefined) return known;
    this.#onReplay(`${variant.stepModel} ${variant.toggled.join(",")} ${point.run.name}`);
    const records = runServer(this.server(bench, variant), replayWorkload(point.run)).records;
    const [from, to] = [point.firstIndex, point.endIndex];
    const [measured, simulated] = [point.run.measured.slice(from, to), records.slice(from, to)];
    const ratios = simulated.map((record, i) => e2eMs(record) / measured[i]!.e2eMs).filter(Number.isFinite);
    const replay = { comparison: compareRun(measured, simulated), e2eRatioSpread: relativeSpread(ratios) };
    replays.set(key, replay);
    return replay;
  }
}

function relativeSpread(values: readonly number[]): number {
  const { mean, stddev } = distribution(values);
  return mean === null || stddev === null ? Number.NaN : stddev / mean;
}
