import { ScheduledBatch } from "../../batch/scheduledBatch.js";
import { HYPOTHESES, type Hypothesis } from "../../config/pricingConfig.js";
import type { Deployment } from "../../engine/createServer.js";
import { ConfigError } from "../../errors/simulationError.js";
import { sortedPercentile } from "../../metrics/distribution.js";
import { attentionKinds } from "../../model/layerKinds.js";
import { BASELINE_WAITS } from "../../stepmodel/stepSwitches.js";
import { MS_PER_S, US_PER_MS } from "../../units/units.js";
import type { ServerRunConfig } from "../evaluateRun.js";
import { type Check, check, type End, type Finding, finding } from "./finding.js";
import { type LoadPoint, loadPoints } from "./loadPoints.js";
import { type OverheadChoice, overheadChecks, overheadChoices, SWEPT_OVERHEADS_MS } from "./overheadSweep.js";
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
import { type BenchExperiment, ReplayBench, type Variant } from "./replayBench.js";
import {
  type JumpCount,
  jumpCount,
  type KvLengthSweep,
  kvLengthSweep,
  type MixSweep,
  mixSweep,
} from "./syntheticSweeps.js";

const ENDS: readonly End[] = ["roofline-v2", "additive"];
/** Decode batches of the H4 sweep: from memory-bound products to compute-bound ones. */
const SWEPT_BATCHES: readonly number[] = [32, 128, 256, 512, 1024];
/** Tokens of a step in the H5 sweep. */
const MIXED_TOKENS = 512;

/** A synthetic sweep and the server whose step model it prices. */
export type OfServer<T> = T & { readonly server: string };

/** A model variant's mean |errors| over the lightest load point of each experiment, percent. */
export interface AblationRow {
  readonly stepModel: string;
  /** Hypothesis taken away or added; null = the model as it is. */
  readonly toggled: Hypothesis | null;
  readonly e2eError: number;
  readonly ttftError: number;
  readonly tpotError: number;
}

export interface LabReport {
  readonly findings: readonly Finding[];
  readonly kvLengthSweeps: readonly OfServer<KvLengthSweep>[];
  readonly mixSweeps: readonly OfServer<MixSweep>[];
  readonly jumpCounts: readonly OfServer<JumpCount>[];
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
  const overheads = byEnd((end) => sweepOverheads(bench, subjects, end));
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

/** Replays and synthetic sweeps to come. */
function countThings(subjects: readonly Subject[]): number {
  const numServers = new Set(subjects.map(serverName)).size;
  const numHigh = subjects.filter(({ high }) => high !== null).length;
  const numLowVariants = 2 * (1 + HYPOTHESES.length) + 1 + 2 * SWEPT_OVERHEADS_MS.length;
  return 3 * numServers + numLowVariants * subjects.length + 4 * numHigh;
}

/** What to call a variant: `additive without H3`, `roofline-v2 with H3`. */
export function ablationName(stepModel: string, toggled: Hypothesis | null): string {
  if (toggled === null) return stepModel;
  return stepModel === "additive" ? `${stepModel} without ${toggled}` : `${stepModel} with ${toggled}`;
}

function byEnd<T>(of: (end: End) => T): Record<End, T> {
  return { "roofline-v2": of("roofline-v2"), additive: of("additive") };
}

function requireTwo(subjects: readonly Subject[]): void {
  if (subjects.length >= 2) return;
  const allowed =
    "the protocols split experiments into training and held-out ones and compare kinds of models: give folders of at least two runs that are not overloaded";
  throw new ConfigError([{ path: "path", received: `${subjects.length} usable experiments`, allowed }]);
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
  const isGqa = attentionKinds(architecture).some(({ attention }) => attention.numKvHeads < attention.numHeads);
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

/** The model with the correction, and without it, at one end. */
function variants(end: End, hypothesis: Hypothesis): { on: Variant; off: Variant } {
  const plain = { stepModel: end, toggled: [] };
  const toggled = { stepModel: end, toggled: [hypothesis] };
  return end === "additive" ? { on: plain, off: toggled } : { on: toggled, off: plain };
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

function sweepOverheads(bench: ReplayBench, subjects: readonly Subject[], end: End): OverheadChoice[] {
  const { off } = variants(end, "H2");
  const comparisons = (variant: Variant) =>
    subjects.map((subject) => bench.replay(subject, subject.low, variant).comparison);
  return overheadChoices({
    base: comparisons(off),
    byOverhead: SWEPT_OVERHEADS_MS.map((overheadMs) =>
      comparisons({ ...off, constants: { waits: { ...BASELINE_WAITS, fixedUs: overheadMs * US_PER_MS } } }),
    ),
  });
}

function ablationRows(bench: ReplayBench, subjects: readonly Subject[]): AblationRow[] {
  const row = (variant: Variant): AblationRow => {
    const comparisons = subjects.map((subject) => bench.replay(subject, subject.low, variant).comparison);
    const over = (error: typeof e2eError) => mean(comparisons.map(error));
    return {
      stepModel: variant.stepModel,
      toggled: variant.toggled[0] ?? null,
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
  return [...models, row({ stepModel: "roofline-v1", toggled: [] })];
}

/** Part A on every distinct server of the experiments, priced by the additive model with and without the correction. */
function sweepServers(subjects: readonly Subject[], bench: ReplayBench, onProgress: (what: string) => void) {
  const servers = new Map(subjects.map((subject) => [serverName(subject), subject]));
  const ofEach = <T extends object>(hypothesis: Hypothesis, sweep: (pair: ReturnType<typeof pairOf>) => T[]) =>
    [...servers].flatMap(([server, subject]) => {
      onProgress(`${hypothesis} part A ${server}`);
      return sweep(pairOf(bench, subject, hypothesis)).map((result): OfServer<T> => ({ ...result, server }));
    });
  const kvLengthSweeps = ofEach("H4", (pair) => SWEPT_BATCHES.map((batchSize) => kvLengthSweep(pair, batchSize)));
  const mixSweeps = ofEach("H5", (pair) => [mixSweep(pair, MIXED_TOKENS)]);
  const jumpCounts = ofEach("H6", (pair) => [jumpCount(pair)]);
  return {
    sweeps: { kvLengthSweeps, mixSweeps, jumpCounts },
    checks: {
      H4: crossoverChecks(kvLengthSweeps),
      H5: mixSweepChecks(mixSweeps),
      H6: jumpChecks(jumpCounts),
    } as Partial<Record<Hypothesis, Check[]>>,
  };
}

function pairOf(bench: ReplayBench, subject: Subject, hypothesis: Hypothesis) {
  const { on, off } = variants("additive", hypothesis);
  return { on: bench.server(subject, on).stepModel, off: bench.server(subject, off).stepModel };
}

function serverName({ config }: BenchExperiment): string {
  return `${config.model} on ${config.engine.tensorParallelSize} × ${config.gpu}`;
}

/**
 * The median server must show 10 % somewhere among the batch sizes and KV lengths: at its crossover, where compute and
 * memory of the step are equal. Where experts keep a step memory-bound there is none.
 */
function crossoverChecks(sweeps: readonly OfServer<KvLengthSweep>[]): Check[] {
  const largest = new Map<string, number>();
  for (const { server, largest: widest } of sweeps) {
    largest.set(server, Math.max(largest.get(server) ?? 0, widest.differenceFraction));
  }
  const value = 100 * median([...largest.values()]);
  return [check("largest difference, median server:", value, "%", "≥ 10", (given) => given >= 10)];
}

function mixSweepChecks(sweeps: readonly MixSweep[]): Check[] {
  const value = 100 * median(sweeps.map(({ differenceFractionAtHalf }) => differenceFractionAtHalf));
  const numTurning = sweeps.filter(({ isMonotone }) => !isMonotone).length;
  return [
    check("difference at 50/50, median server:", value, "%", "≥ 15", (given) => given >= 15),
    check("servers whose additive price turns:", numTurning, "", "0", (given) => given === 0),
  ];
}

function jumpChecks(counts: readonly JumpCount[]): Check[] {
  const sum = (of: (count: JumpCount) => number) => counts.reduce((total, count) => total + of(count), 0);
  const before = sum(({ numJumpsOff }) => numJumpsOff);
  const value = before === 0 ? Number.NaN : 100 * (1 - sum(({ numJumpsOn }) => numJumpsOn) / before);
  return [check("jumps of 5 % gone", value, "%", "≥ 80", (given) => given >= 80)];
}

function median(values: readonly number[]): number {
  return sortedPercentile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}
