import { existsSync } from "node:fs";
import { join } from "node:path";
import { type RunSummary, simulateStreaming } from "../../src/core/engine/simulate.js";
import { PACKAGE_ROOT } from "../../src/io/packageRoot.js";
import {
  type BenchCase,
  type CallCase,
  type Engine,
  type GrowthCase,
  type PreparedSimulation,
  type ProcessCase,
  runOn,
  type SimulationCase,
} from "./benchCase.js";
import { REFERENCE_ENGINE } from "./referenceEngine.js";
import {
  growthExponent,
  measuredProcess,
  medianRatio,
  TELL_PEAK_MEMORY,
  type Timing,
  timeMs,
  timing,
  toldPeakMiB,
} from "./timing.js";

/** The built command line. */
const MAIN_FILE = join(PACKAGE_ROOT, "dist", "cli", "main.js");

/** What one case came to; a line of the output. */
export interface Measurement extends Timing {
  readonly case: string;
  readonly repeats: number;
  /** Of one repetition; null where nothing is simulated. */
  readonly numRequests: number | null;
  /** Simulated requests per second of wall time, by the median. */
  readonly requestsPerS: number | null;
  /** Engine steps, or calls, per second of wall time, by the median. */
  readonly stepsPerS: number | null;
  /** Median of the reference engine in the same run; null without one, or where no engine runs in this process. */
  readonly referenceMs: number | null;
  /** How many times as fast as the reference engine: the median over pairs. */
  readonly ratio: number | null;
  /** Median of a Node process that does nothing, in turn with the measured one; null in this process. */
  readonly bareNodeMs: number | null;
  /** Of a growth case: the cost grows with this power of the size. */
  readonly exponent: number | null;
  /** Of a growth case: median cost per size; ms of a run, or µs of a step. */
  readonly costs: Readonly<Record<string, number>> | null;
  /** Largest resident set of the process, MiB; null where it was not measured. */
  readonly peakMemoryMiB: number | null;
  readonly note: string | null;
}

const NOTHING = {
  numRequests: null,
  requestsPerS: null,
  stepsPerS: null,
  referenceMs: null,
  ratio: null,
  bareNodeMs: null,
  exponent: null,
  costs: null,
  peakMemoryMiB: null,
  note: null,
} as const;

/** Measures a case: some times to warm up, then `repeats` times. @returns why it cannot, as text */
export async function measure(benchCase: BenchCase, repeats: number): Promise<Measurement | string> {
  switch (benchCase.kind) {
    case "process":
      return measureProcess(benchCase, repeats);
    case "call":
      return measureCalls(benchCase, repeats);
    case "simulation":
      return measureSimulation(benchCase, repeats);
    case "growth":
      return measureGrowth(benchCase, repeats);
  }
}

function measureProcess(processCase: ProcessCase, repeats: number): Measurement | string {
  const { name, args, numRequests, heapMiB, onlyWhenNamed = false } = processCase;
  if (args === null) return "skipped: what it needs is not there";
  if (!existsSync(MAIN_FILE)) return `skipped: ${MAIN_FILE} is not there; npm run build`;
  const node = heapMiB === undefined ? [] : [`--max-old-space-size=${heapMiB}`, ...TELL_PEAK_MEMORY];
  const timesMs: number[] = [];
  const bareMs: number[] = [];
  let peakMemoryMiB: number | null = null;
  for (let i = onlyWhenNamed ? 0 : -1; i < repeats; i++) {
    const bare = measuredProcess(["-e", "0"]).ms;
    const { ms, stderr } = measuredProcess([...node, MAIN_FILE, ...args]);
    if (i < 0) continue;
    bareMs.push(bare);
    timesMs.push(ms);
    if (heapMiB !== undefined) peakMemoryMiB = Math.max(peakMemoryMiB ?? 0, toldPeakMiB(stderr));
  }
  const bareNodeMs = timing(bareMs).medianMs;
  const requestsPerS =
    numRequests === null || heapMiB === undefined ? null : (1000 * numRequests) / timing(timesMs).medianMs;
  return { case: name, ...NOTHING, repeats, ...timing(timesMs), numRequests, requestsPerS, bareNodeMs, peakMemoryMiB };
}

function measureCalls({ name, prepare }: CallCase, repeats: number): Measurement {
  const { numCalls, call } = prepare();
  const results = new Set([call()]);
  const timesMs = Array.from({ length: repeats }, () => timeMs(() => results.add(call())));
  if (results.size !== 1) throw new Error(`${name}: repetitions differ: ${[...results].join(", ")}`);
  const measured = timing(timesMs);
  return { case: name, ...NOTHING, repeats, ...measured, stepsPerS: (1000 * numCalls) / measured.medianMs };
}

async function measureSimulation(
  { name, prepare, isCompared = true }: SimulationCase,
  repeats: number,
): Promise<Measurement> {
  const prepared = await prepare();
  const summary = warmUp(simulateStreaming, prepared);
  const reference = isCompared ? REFERENCE_ENGINE : null;
  if (reference !== null) warmUp(reference, prepared);
  const expected = JSON.stringify(summary);
  const timesMs: number[] = [];
  const referenceMs: number[] = [];
  const check = (found: object) => {
    if (JSON.stringify(found) !== expected) throw new Error(`${name}: a repetition has another result`);
  };
  for (let i = 0; i < repeats; i++) {
    timesMs.push(timeMs(() => check(runOn(simulateStreaming, prepared).summary)));
    if (reference === null) continue;
    referenceMs.push(timeMs(() => check(runOn(reference, prepared).summary)));
  }
  const measured = timing(timesMs);
  const numRequests = summary.requests.submitted;
  return {
    case: name,
    ...NOTHING,
    repeats,
    ...measured,
    numRequests,
    requestsPerS: (1000 * numRequests) / measured.medianMs,
    stepsPerS: (1000 * summary.engine.steps) / measured.medianMs,
    referenceMs: referenceMs.length === 0 ? null : timing(referenceMs).medianMs,
    ratio: referenceMs.length === 0 ? null : medianRatio(referenceMs, timesMs),
    note: prepared.note,
  };
}

/** Until the code is compiled: at least twice, and for a second. @returns the summary */
function warmUp(engine: Engine, prepared: PreparedSimulation): RunSummary {
  const untilMs = performance.now() + 1000;
  for (let i = 0; ; i++) {
    const { summary } = runOn(engine, prepared);
    if (i > 0 && performance.now() > untilMs) return summary;
  }
}

async function measureGrowth({ name, sizes, prepare, costOf }: GrowthCase, repeats: number): Promise<Measurement> {
  const costs: Record<string, number> = {};
  let last: Timing = timing([0]);
  let numRequests = 0;
  for (const size of sizes) {
    const prepared = await prepare(size);
    if (numRequests === 0) warmUp(simulateStreaming, prepared);
    let steps = 0;
    const timesMs = Array.from({ length: repeats }, () =>
      timeMs(() => {
        const { summary } = runOn(simulateStreaming, prepared);
        steps = summary.engine.steps;
        numRequests = summary.requests.submitted;
      }),
    );
    last = timing(timesMs);
    costs[size] = costOf === "run" ? last.medianMs : (1000 * last.medianMs) / steps;
  }
  const exponent = growthExponent(sizes, Object.values(costs));
  return {
    case: name,
    ...NOTHING,
    repeats,
    ...last,
    numRequests,
    requestsPerS: (1000 * numRequests) / last.medianMs,
    exponent,
    costs,
  };
}
