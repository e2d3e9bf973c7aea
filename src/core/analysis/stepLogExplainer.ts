import { bucketLabel, type CountBucket, countBucket } from "../metrics/countBucket.js";
import type {
  ComponentTime,
  ExplainReport,
  LookupShare,
  MeanAndPeak,
  StepGroup,
  StepPhase,
  TimeShare,
} from "./explainReport.js";
import {
  BOUND_CODES,
  type Bound,
  distantSlots,
  LOOKUP_CODES,
  type LoggedStep,
  SOURCE_CODES,
  type StepLogHeader,
} from "./stepLog.js";
import { TimeSlices } from "./timeSlices.js";

/** Sums over the steps of one kind. */
interface StepSums {
  steps: number;
  us: number;
  tokens: number;
}

const PHASES: readonly StepPhase[] = ["prefill-only", "decode-only", "mixed"];

/** Adds up a step log, one step at a time: memory does not grow with the steps. */
export class StepLogExplainer {
  readonly #header: StepLogHeader;
  readonly #componentSteps: Float64Array;
  /** µs by what bounds them: per bound, one sum per component. */
  readonly #boundUs = new Map<Bound, Float64Array>();
  readonly #lookups = counters(LOOKUP_CODES);
  readonly #sources = counters(SOURCE_CODES);
  readonly #phases = new Map<StepPhase, StepSums>();
  readonly #batchSizes = new Map<string, StepSums & { readonly requests: CountBucket }>();
  readonly #slices = new TimeSlices();
  readonly #kvFraction = new WeightedMean();
  readonly #running = new WeightedMean();
  readonly #waiting = new WeightedMean();
  #farthest: ExplainReport["farthest"] = null;
  #steps = 0;
  #us = 0;
  #startUs = Number.POSITIVE_INFINITY;
  #endUs = 0;
  #preemptions = 0;

  constructor(header: StepLogHeader) {
    this.#header = header;
    const numComponents = header.components.length;
    this.#componentSteps = new Float64Array(numComponents);
    for (const bound of Object.keys(BOUND_CODES) as Bound[]) this.#boundUs.set(bound, new Float64Array(numComponents));
  }

  add(step: LoggedStep): void {
    const us = step.us.reduce((sum, componentUs) => sum + componentUs, 0);
    this.#steps++;
    this.#us += us;
    this.#startUs = Math.min(this.#startUs, step.startUs);
    this.#endUs = Math.max(this.#endUs, step.endUs);
    this.#preemptions += step.preempted;
    this.#addComponents(step);
    this.#addPrices(step);
    this.#addFarthest(step);
    addTo(this.#phases, phaseOf(step), { steps: 1, us, tokens: step.tokens });
    const requests = countBucket(step.requests);
    addTo(this.#batchSizes, bucketLabel(requests), { steps: 1, us, tokens: step.tokens, requests });
    this.#slices.add({ ...step, gpuUs: us });
    this.#kvFraction.add(step.kvFraction, us);
    this.#running.add(step.running, us);
    this.#waiting.add(step.waiting, us);
  }

  report(): ExplainReport {
    const { model, gpu, engine, pricing } = this.#header.config;
    const spanUs = Math.max(0, this.#endUs - this.#startUs);
    return {
      schema: "roofserve.explain/1",
      model,
      gpu,
      tensorParallelSize: engine.tensorParallelSize,
      stepModel: pricing.stepModel,
      steps: this.#steps,
      gpuUs: this.#us,
      spanUs,
      busyFraction: fraction(this.#us, spanUs),
      components: this.#components(),
      bounds: this.#bounds(),
      phases: PHASES.flatMap((phase) => {
        const sums = this.#phases.get(phase);
        return sums === undefined ? [] : [{ phase, ...this.#group(sums) }];
      }),
      batchSizes: [...this.#batchSizes.values()]
        .sort((a, b) => a.requests.from - b.requests.from)
        .map((sums) => ({ requests: sums.requests, ...this.#group(sums) })),
      load: {
        kvFraction: this.#kvFraction.value(),
        running: this.#running.value(),
        waiting: this.#waiting.value(),
        preemptions: this.#preemptions,
        slices: this.#slices.slices(),
      },
      lookups: this.#lookupShares(),
      sources: usedCounters(this.#sources).map(([source, { us }]) => ({ source, ...this.#pricedShare(us) })),
      farthest: this.#farthest,
    };
  }

  #addComponents({ us, bound }: LoggedStep): void {
    for (const [slot, componentUs] of us.entries()) {
      const binds = BOUND_OF.get(bound[slot] as string);
      if (binds === undefined) continue;
      this.#componentSteps[slot]! += 1;
      this.#boundUs.get(binds)![slot]! += componentUs;
    }
  }

  #addPrices({ us, lookup, source }: LoggedStep): void {
    for (const [slot, componentUs] of us.entries()) {
      this.#lookups.get(lookup[slot] as string)?.add(componentUs);
      this.#sources.get(source[slot] as string)?.add(componentUs);
    }
  }

  #addFarthest({ lookup, lnDistance = [], startUs }: LoggedStep): void {
    const most = lnDistance.reduce((largest, distance) => Math.max(largest, distance), 0);
    if (most <= (this.#farthest?.lnDistance ?? 0)) return;
    const slot = distantSlots(lookup)[lnDistance.indexOf(most)] ?? -1;
    const kind = lookup[slot] === LOOKUP_CODES.nearest ? "nearest" : "extrapolated";
    this.#farthest = { component: this.#header.components[slot]?.name ?? "", kind, lnDistance: most, startUs };
  }

  #components(): ComponentTime[] {
    const times = this.#header.components.map(({ name, category }, slot): ComponentTime => {
      const parts = [...this.#boundUs].map(([bound, us]) => [bound, us[slot]!] as const);
      const boundUs = Object.fromEntries(parts.filter(([, us]) => us > 0));
      const us = parts.reduce((sum, [, part]) => sum + part, 0);
      return { name, category, steps: this.#componentSteps[slot]!, ...this.#share(us), boundUs };
    });
    return times.filter(({ steps }) => steps > 0).sort((a, b) => b.us - a.us);
  }

  #bounds(): ExplainReport["bounds"] {
    const shares = [...this.#boundUs].map(([bound, us]) => ({
      bound,
      ...this.#share(us.reduce((sum, part) => sum + part, 0)),
    }));
    return shares.filter(({ us }) => us > 0).sort((a, b) => b.us - a.us);
  }

  #lookupShares(): LookupShare[] {
    const used = usedCounters(this.#lookups);
    const numPrices = used.reduce((sum, [, { count }]) => sum + count, 0);
    return used.map(([kind, { count, us }]) => ({
      kind,
      prices: count,
      priceFraction: fraction(count, numPrices),
      ...this.#pricedShare(us),
    }));
  }

  /** Share of the time that has a price. */
  #pricedShare(us: number): TimeShare {
    const pricedUs = usedCounters(this.#lookups).reduce((sum, [, counter]) => sum + counter.us, 0);
    return { us, fraction: fraction(us, pricedUs) };
  }

  #share(us: number): TimeShare {
    return { us, fraction: fraction(us, this.#us) };
  }

  #group({ steps, us, tokens }: StepSums): StepGroup {
    return { steps, ...this.#share(us), meanUs: us / steps, tokens };
  }
}

const BOUND_OF = new Map(Object.entries(BOUND_CODES).map(([bound, code]) => [code, bound as Bound]));

function phaseOf({ prefillTokens, decodes }: LoggedStep): StepPhase {
  if (decodes === 0) return "prefill-only";
  return prefillTokens === 0 ? "decode-only" : "mixed";
}

function addTo<Key, Sums extends StepSums>(groups: Map<Key, Sums>, key: Key, step: Sums): void {
  const sums = groups.get(key);
  if (sums === undefined) {
    groups.set(key, step);
    return;
  }
  sums.steps += step.steps;
  sums.us += step.us;
  sums.tokens += step.tokens;
}

function fraction(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}

/** A number over time. */
class WeightedMean {
  #sum = 0;
  #weight = 0;
  #peak = 0;

  add(value: number, weight: number): void {
    this.#sum += value * weight;
    this.#weight += weight;
    this.#peak = Math.max(this.#peak, value);
  }

  value(): MeanAndPeak {
    return { mean: fraction(this.#sum, this.#weight), peak: this.#peak };
  }
}

/** How often something was seen, and for how long. */
class Counter<Word extends string> {
  readonly word: Word;
  count = 0;
  us = 0;

  constructor(word: Word) {
    this.word = word;
  }

  add(us: number): void {
    this.count++;
    this.us += us;
  }
}

/** One counter per letter. */
function counters<Word extends string>(codes: Readonly<Record<Word, string>>): Map<string, Counter<Word>> {
  const entries = Object.entries(codes) as [Word, string][];
  return new Map(entries.map(([word, code]) => [code, new Counter(word)]));
}

function usedCounters<Word extends string>(counters: ReadonlyMap<string, Counter<Word>>): [Word, Counter<Word>][] {
  return [...counters.values()]
    .filter(({ count }) => count > 0)
    .map((counter): [Word, Counter<Word>] => [counter.word, counter]);
}
