import { ScheduledBatch } from "../../batch/scheduledBatch.js";
import { HYPOTHESES, type Hypothesis } from "../../config/pricingConfig.js";
import type { Deployment } from "../../engine/createServer.js";
import { ConfigError } from "../../errors/simulationError.js";
import { attentionKinds } from "../../model/layerKinds.js";
import { BASELINE_WAITS } from "../../stepmodel/stepSwitches.js";
import { MS_PER_S, US_PER_MS } from "../../units/units.js";
import type { ServerRunConfig } from "../evaluateRun.js";
import { type Check, type End, type Finding, finding } from "./finding.js";
import { type LoadPoint, loadPoints } from "./loadPoints.js";
import {
  type OverheadChoice,
  type OverheadSweep,
  overheadChecks,
  overheadChoices,
  SWEPT_OVERHEADS_MS,
  sweepOverheads,
} from "./overheadSweep.js";
import {
  bandwidthChecks,
  e2eError,
  fusionChecks,
  interpolationChecks,
  mean,
  mixChecks,
  perKernelChecks,
  type ReplayedPair,
  tpotError,
  ttftError,
} from "./realChecks.js";
import { type BenchExperiment, ReplayBench, type Variant, variants } from "./replayBench.js";
import { NUM_SERVER_SWEEPS, type ServerSweeps, serverName, sweepServers } from "./serverSweeps.js";

const ENDS: readonly End[] = ["roofline-v2", "additive"];

/** A model variant's mean |errors| over the lightest load point of each experiment, percent. */
export interface AblationRow {
  readonly stepModel: string;
  /** Hypothesis taken away or added, `all` six added; null = the model as it is. */
  readonly toggled: Hypothesis | "all" | null;
  readonly e2eError: number;
  readonly ttftError: number;
  readonly tpotError: number;
}

export interface LabReport extends ServerSweeps {
  readonly findings: readonly Finding[];
  readonly overheads: Readonly<Record<End, readonly OverheadChoice[]>>;
  readonly ablation: readonly AblationRow[];
  /** The load points that were replayed: the lightest of each experiment, and the heaviest where there are two. */
  readonly low: readonly LoadPoint[];
  readonly high: readonly LoadPoint[];
}

/** An experiment with the load points that the lab looks at. */
interface Subject extends BenchExperiment {
  readonly low: LoadPoint;
  readonly high: LoadPoint | null;
  readonly isGqa: boolean;
  readonly memoryBoundFraction: number;
}

/**
 * Runs the protocols of the six hypotheses: part A on steps inside the simulator, part B on measured runs, each
 * correction added alone to roofline-v2 and taken alone from the additive model. Part B looks at the lightest load
 * of each experiment, where an error of step time is an error of latency and not of queues; H5 at the heaviest too.
 *
 * @param load loads a deployment for a config, its `pricing` included
 * @param onProgress told what comes next, and of how many things
 * @throws ConfigError when fewer than two experiments can be used
 */
export function testHypotheses(
  experiments: readonly BenchExperiment[],
  load: (config: ServerRunConfig) => Deployment,
  onProgress: (what: string, numThings: number) => void,
): LabReport {
  let numThings = 0;
  const tell = (what: string) => onProgress(what, numThings);
  const bench = new ReplayBench(load, tell);
  const subjects = experiments.flatMap((experiment) => subjectOf(experiment, bench, load));
  requireTwo(subjects);
  numThings = countThings(subjects);
  const synthetic = sweepServers(subjects, bench, tell);
  const pairs = (end: End, hypothesis: Hypothesis, point: "low" | "high" = "low") =>
    replayPairs(bench, subjects, end, hypothesis, point);
  const skip = (numReplays: number) => {
    numThings -= numReplays;
  };
  const sweeps = byEnd((end) => sweptOverheads(bench, subjects, end, skip));
  const overheads = byEnd((end) => overheadChoices(sweeps[end]));
  const real: Readonly<Record<Hypothesis, (end: End) => Check[]>> = {
    H1: (end) => bandwidthChecks(pairs(end, "H1")),
    H2: (end) => overheadChecks(overheads[end]),
    H3: (end) => fusionChecks(pairs(end, "H3")),
    H4: (end) => perKernelChecks(pairs(end, "H4")),
    H5: (end) => mixChecks(pairs(end, "H5"), pairs(end, "H5", "high")),
    H6: (end) => interpolationChecks(pairs(end, "H6"), spreads(bench, subjects, end)),
  };
  const findings = HYPOTHESES.map((hypothesis) =>
    finding(hypothesis, synthetic.checks[hypothesis] ?? [], byEnd(real[hypothesis])),
  );
  return {
    findings,
    ...synthetic.sweeps,
    overheads,
    ablation: ablationRows(bench, subjects),
    low: subjects.map(({ low }) => low),
    high: subjects.flatMap(({ high }) => (high === null ? [] : [high])),
  };
}

/** Replays and synthetic sweeps to come; the sweep of overheads may need fewer. */
function countThings(subjects: readonly Subject[]): number {
  const numServers = new Set(subjects.map(serverName)).size;
  const numHigh = subjects.filter(({ high }) => high !== null).length;
  const numLowVariants = 2 * (1 + HYPOTHESES.length) + 2 + 2 * SWEPT_OVERHEADS_MS.length;
  return NUM_SERVER_SWEEPS * numServers + numLowVariants * subjects.length + 4 * numHigh;
}

/** What to call a variant: `additive without H3`, `roofline-v2 with H3`, `roofline-v2 with all six`. */
export function ablationName(stepModel: string, toggled: AblationRow["toggled"]): string {
  if (toggled === null) return stepModel;
  if (toggled === "all") return `${stepModel} with all six`;
  return stepModel === "additive" ? `${stepModel} without ${toggled}` : `${stepModel} with ${toggled}`;
}

function byEnd<T>(of: (end: End) => T): Record<End, T> {
  return { "roofline-v2": of("roofline-v2"), additive: of("additive") };
}

function requireTwo(subjects: readonly Subject[]): void {
  if (subjects.length >= 2) return;
  const allowed =
    "the protocols split experiments into training and held-out ones and compare kinds of models: give folders of at least two runs that are not overloaded";
  throw new ConfigError([
    { path: "path", received: `${subjects.length} usable experiment${subjects.length === 1 ? "" : "s"}`, allowed },
  ]);
}

function subjectOf(
  experiment: BenchExperiment,
  bench: ReplayBench,
  load: (config: ServerRunConfig) => Deployment,
): Subject[] {
  const points = loadPoints(experiment.experiment);
  const [low, ...others] = points;
  if (low === undefined) return [];
  const { architecture } = load(experiment.config);
  const isGqa = attentionKinds(architecture).some(
    ({ attention }) => attention.kind === "gqa" && attention.numKvHeads < attention.numHeads,
  );
  const high = others.at(-1) ?? null;
  return [{ ...experiment, low, high, isGqa, memoryBoundFraction: memoryBoundFraction(experiment, low, bench) }];
}

/** Of a decode step as the measured run had on average: as many requests as Little's law says, half-way through. */
function memoryBoundFraction(
  experiment: BenchExperiment,
  { run, requestsPerS }: LoadPoint,
  bench: ReplayBench,
): number {
  const completed = run.measured.flatMap(({ failed, e2eMs }, i) => (failed ? [] : [{ e2eMs, spec: run.specs[i]! }]));
  const inFlight = (requestsPerS * mean(completed.map(({ e2eMs }) => e2eMs))) / MS_PER_S;
  const context = mean(completed.map(({ spec }) => spec.numPromptTokens + spec.maxTokens / 2));
  const batch = new ScheduledBatch(Math.max(1, Math.round(inFlight)));
  for (let row = 0; row < Math.max(1, Math.round(inFlight)); row++) batch.push(1, Math.round(context), true);
  batch.numSampled = batch.numRequests;
  const { stepModel } = bench.server(experiment, { stepModel: "additive", toggled: [] });
  const { components } = stepModel.breakdown(batch);
  const us = (list: typeof components) => list.reduce((sum, component) => sum + component.us, 0);
  return us(components.filter(({ price }) => price.boundBy === "memory")) / us(components);
}

function replayPairs(
  bench: ReplayBench,
  subjects: readonly Subject[],
  end: End,
  hypothesis: Hypothesis,
  which: "low" | "high",
): ReplayedPair[] {
  const { on, off } = variants(end, hypothesis);
  return subjects.flatMap((subject): ReplayedPair[] => {
    const point = subject[which];
    if (point === null) return [];
    const { isGqa, memoryBoundFraction } = subject;
    const comparison = (variant: Variant) => bench.replay(subject, point, variant).comparison;
    return [
      { experiment: subject.experiment.name, isGqa, memoryBoundFraction, on: comparison(on), off: comparison(off) },
    ];
  });
}

/** Mean over experiments of the spread of predicted over measured E2E, with interpolation and without. */
function spreads(bench: ReplayBench, subjects: readonly Subject[], end: End): { on: number; off: number } {
  const { on, off } = variants(end, "H6");
  const spread = (variant: Variant) =>
    mean(subjects.map((subject) => bench.replay(subject, subject.low, variant).e2eRatioSpread));
  return { on: spread(on), off: spread(off) };
}

/** @param onSkipped told how many replays the sweep could do without */
function sweptOverheads(
  bench: ReplayBench,
  subjects: readonly Subject[],
  end: End,
  onSkipped: (numReplays: number) => void,
): OverheadSweep {
  const { off } = variants(end, "H2");
  const comparisons = (variant: Variant) =>
    subjects.map((subject) => bench.replay(subject, subject.low, variant).comparison);
  const sweep = sweepOverheads(comparisons(off), (overheadMs) =>
    comparisons({ ...off, constants: { waits: { ...BASELINE_WAITS, fixedUs: overheadMs * US_PER_MS } } }),
  );
  onSkipped((SWEPT_OVERHEADS_MS.length - sweep.byOverhead.length) * subjects.length);
  return sweep;
}

/** Each model as it is and with one correction toggled; roofline-v2 with all six, which is not yet the additive model. */
function ablationRows(bench: ReplayBench, subjects: readonly Subject[]): AblationRow[] {
  const row = (variant: Variant): AblationRow => {
    const comparisons = subjects.map((subject) => bench.replay(subject, subject.low, variant).comparison);
    const over = (error: typeof e2eError) => mean(comparisons.map(error));
    return {
      stepModel: variant.stepModel,
      toggled: variant.toggled.length > 1 ? "all" : (variant.toggled[0] ?? null),
      e2eError: over(e2eError),
      ttftError: over(ttftError),
      tpotError: over(tpotError),
    };
  };
  const models = [...ENDS]
    .reverse()
    .flatMap((stepModel) => [
      row({ stepModel, toggled: [] }),
      ...HYPOTHESES.map((hypothesis) => row({ stepModel, toggled: [hypothesis] })),
    ]);
  const corrected = row({ stepModel: "roofline-v2", toggled: HYPOTHESES });
  return [...models, corrected, row({ stepModel: "roofline-v1", toggled: [] })];
}
