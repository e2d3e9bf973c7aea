import { EventQueue, type SimulationEvent } from "../../../src/core/des/eventQueue.js";
import { gpuStepUs } from "../../../src/core/engine/gpuStepUs.js";
import type { EngineStats, ServedRun } from "../../../src/core/engine/runResult.js";
import { InvariantError } from "../../../src/core/errors/simulationError.js";
import { BinnedCounts } from "../../../src/core/metrics/binnedCounts.js";
import type { RequestRecord, RequestStatus } from "../../../src/core/metrics/requestRecord.js";
import { Request } from "../../../src/core/request/request.js";
import type { RequestSpec } from "../../../src/core/request/requestSpec.js";
import { ScheduledStep } from "../../../src/core/scheduler/scheduledStep.js";
import type { ServerOverheads } from "../../../src/core/stepmodel/serverOverheads.js";
import type { StepModel } from "../../../src/core/stepmodel/stepModel.js";
import type { Workload } from "../../../src/core/workload/workload.js";
import type { PlainScheduler } from "./plainScheduler.js";

/** Order of what happens at the same instant. */
const PRIORITY = { finishSeen: 0, enter: 1, giveUp: 2 } as const;

type ServerEvent = SimulationEvent &
  (
    | { readonly kind: "finishSeen"; readonly spec: RequestSpec }
    | { readonly kind: "enter"; readonly request: Request }
    | { readonly kind: "giveUp"; readonly request: Request }
  );

/** A step on its way through the GPU. */
interface StepInFlight {
  readonly step: ScheduledStep;
  readonly startUs: number;
  readonly endUs: number;
}

/** What a server is made of. */
export interface PlainServerParts {
  readonly scheduler: PlainScheduler;
  readonly stepModel: StepModel;
  readonly overheads: ServerOverheads;
  readonly maxNumSeqs: number;
  readonly numGpuBlocks: number;
  /** Steps in flight: 1 = synchronous, 2 = asynchronous scheduling. */
  readonly queueDepth: number;
}

/**
 * The engine written plainly: every step walks every request, every KV block is handled for itself. Slow on purpose;
 * what `ServerLoop` does must equal this, step for step and to the last bit of every time.
 */
export class PlainServerLoop {
  readonly #parts: PlainServerParts;
  readonly #workload: Workload;
  readonly #events = new EventQueue<ServerEvent>();
  readonly #componentsUs: Float64Array;
  /** By order of submission; a hole until the request has ended. */
  readonly #records: RequestRecord[] = [];
  /** Parallel to `#records`: what was asked. */
  readonly #specs: RequestSpec[] = [];
  readonly #idleSteps: ScheduledStep[] = [];
  readonly #inFlight: StepInFlight[] = [];
  readonly #live = new Set<Request>();
  /** Told of every step. */
  onStep: ((step: ScheduledStep, startUs: number, endUs: number) => void) | null = null;
  /** Told of every time between two tokens that a client saw, µs. */
  onGap: ((gapUs: number) => void) | null = null;
  #numSubmitted = 0;
  #nowUs = 0;
  /** When something last happened to a request or a step: a client's unused timeout may lie far behind it. */
  #lastActUs = 0;
  #gpuFreeUs = 0;
  #frontEndFreeUs = 0;
  /** When the front end has sent all tokens it was given: one process streams them. */
  #outputFreeUs = 0;
  #outputBusyUs = 0;
  readonly #gapsUs = new BinnedCounts();
  #numSteps = 0;
  #numPreemptions = 0;
  #gpuBusyUs = 0;
  #limitedUs = 0;
  #kvPeakUsedFraction = 0;
  #numCachedTokens = 0;
  #numLookedUpTokens = 0;

  constructor(parts: PlainServerParts, workload: Workload) {
    this.#parts = parts;
    this.#workload = workload;
    this.#componentsUs = new Float64Array(parts.stepModel.componentNames.length);
  }

  /** Runs until no request is left. */
  run(): ServedRun {
    while (this.#advance()) {}
    for (const request of this.#live) this.#record(request, "unfinished", "the run ended before it finished");
    return { records: this.#records, specs: this.#specs, stats: this.#stats() };
  }

  /** One turn of the engine core's busy loop. @returns false when nothing is left to do */
  #advance(): boolean {
    const { scheduler, queueDepth } = this.#parts;
    this.#drain();
    if (scheduler.hasRequests) {
      const numScheduled = this.#scheduleStep();
      const oldest = this.#inFlight[0] as StepInFlight;
      if (numScheduled > 0 && this.#inFlight.length < queueDepth && oldest.endUs > this.#nowUs) return true;
      if (numScheduled === 0 && this.#inFlight.length === 1 && scheduler.numRunning === 0) this.#waitForNews();
    }
    if (this.#inFlight.length > 0) {
      this.#completeOldest();
      return true;
    }
    return this.#waitForNews();
  }

  /** Plans a step and sends it to the GPU. @returns its number of requests */
  #scheduleStep(): number {
    const { scheduler, stepModel, overheads, maxNumSeqs } = this.#parts;
    const step = this.#idleSteps.pop() ?? new ScheduledStep(maxNumSeqs);
    scheduler.schedule(step);
    this.#nowUs += overheads.scheduleUs;
    this.#numPreemptions += step.numPreempted;
    this.#noteAdmissions(step);
    const startUs = Math.max(this.#gpuFreeUs, this.#nowUs);
    let endUs = this.#nowUs;
    if (step.numRequests > 0) {
      const gpuUs = gpuStepUs(stepModel.gpuUs(step.batch, this.#componentsUs));
      endUs = startUs + gpuUs;
      this.#gpuFreeUs = endUs;
      this.#gpuBusyUs += gpuUs;
      if (scheduler.numWaiting > 0) this.#limitedUs += gpuUs;
      this.#numSteps++;
      this.#kvPeakUsedFraction = Math.max(this.#kvPeakUsedFraction, scheduler.kvUsageFraction);
      this.onStep?.(step, startUs, endUs);
    }
    this.#inFlight.push({ step, startUs, endUs });
    return step.numRequests;
  }

  #noteAdmissions(step: ScheduledStep): void {
    for (let row = 0; row < step.numRequests; row++) {
      const request = step.requests[row]!;
      if (!Number.isNaN(request.firstScheduledUs)) continue;
      request.firstScheduledUs = this.#nowUs;
      this.#numCachedTokens += request.numCachedTokens;
      this.#numLookedUpTokens += request.numPromptTokens;
    }
  }

  /** Waits for the oldest step, hands its tokens out and frees what finished. */
  #completeOldest(): void {
    const { scheduler, overheads } = this.#parts;
    const { step, endUs } = this.#inFlight.shift() as StepInFlight;
    this.#nowUs = Math.max(this.#nowUs, endUs);
    if (step.numRequests > 0) {
      this.#drain();
      scheduler.update(step);
      this.#nowUs += overheads.updateUs;
      this.#deliver(step);
      this.#lastActUs = this.#nowUs;
    }
    this.#idleSteps.push(step);
  }

  /** The step's tokens reach their clients, in batch order, behind those of the steps before. */
  #deliver(step: ScheduledStep): void {
    const { outputUs, outputUsPerToken } = this.#parts.overheads;
    const fromUs = Math.max(this.#nowUs + outputUs, this.#outputFreeUs);
    let numSent = 0;
    for (let row = 0; row < step.numRequests; row++) {
      if (step.numTokensOut[row] === 0) continue;
      const request = step.requests[row]!;
      const seenUs = fromUs + ++numSent * outputUsPerToken;
      // What comes after its client gave up, nobody sees.
      if (seenUs > request.spec.arrivalUs + request.spec.timeoutUs) continue;
      if (Number.isNaN(request.firstTokenUs)) request.firstTokenUs = seenUs;
      else this.#seeGap(seenUs - request.lastTokenUs);
      request.lastTokenUs = seenUs;
      request.numSeenTokens += step.numTokensOut[row]!;
    }
    this.#outputFreeUs = fromUs + numSent * outputUsPerToken;
    this.#outputBusyUs += numSent * outputUsPerToken;
    for (let i = 0; i < step.numFinished; i++) this.#finish(step.finished[i]!);
  }

  #seeGap(gapUs: number): void {
    this.#gapsUs.add(gapUs, 1);
    this.onGap?.(gapUs);
  }

  /** A request whose last token its client has seen is completed; any other has been given up, or will be. */
  #finish(request: Request): void {
    const { spec, lastTokenUs } = request;
    if (request.numSeenTokens < request.numOutputTokens) return;
    this.#record(request, "completed", null);
    this.#events.push({ kind: "finishSeen", timeUs: lastTokenUs, priority: PRIORITY.finishSeen, spec });
  }

  /** Handles all that has happened up to now: requests sent, entered or given up, and ends that clients have seen. */
  #drain(): void {
    for (;;) {
      const arrivalUs = this.#workload.peekArrivalUs();
      const eventUs = this.#events.peekTimeUs();
      if (Math.min(arrivalUs, eventUs) > this.#nowUs) return;
      if (arrivalUs < eventUs) this.#send(this.#workload.take());
      else this.#handle(this.#events.pop() as ServerEvent);
    }
  }

  /** A client sends a request; the front end passes requests on in the order they came. */
  #send(spec: RequestSpec): void {
    const { overheads } = this.#parts;
    const request = new Request(spec, this.#numSubmitted++);
    this.#live.add(request);
    this.#specs.push(spec);
    const delayUs = overheads.frontEndUs + overheads.frontEndUsPerPromptToken * spec.numPromptTokens;
    const enterUs = Math.max(this.#frontEndFreeUs, spec.arrivalUs + Math.round(delayUs));
    this.#frontEndFreeUs = enterUs;
    this.#events.push({ kind: "enter", timeUs: enterUs, priority: PRIORITY.enter, request });
    if (Number.isFinite(spec.timeoutUs)) {
      const timeUs = spec.arrivalUs + spec.timeoutUs;
      this.#events.push({ kind: "giveUp", timeUs, priority: PRIORITY.giveUp, request });
    }
  }

  #handle(event: ServerEvent): void {
    switch (event.kind) {
      case "finishSeen":
        this.#workload.onFinished(event.spec, event.timeUs);
        return;
      case "enter":
        this.#enter(event.request, event.timeUs);
        return;
      case "giveUp":
        this.#giveUp(event.request, event.timeUs);
    }
  }

  #enter(request: Request, timeUs: number): void {
    if (!this.#live.has(request)) return;
    const { scheduler } = this.#parts;
    const reason = scheduler.rejectionReason(request);
    if (reason !== null) {
      this.#record(request, "rejected", reason);
      this.#workload.onFinished(request.spec, timeUs);
      return;
    }
    request.queuedUs = timeUs;
    scheduler.add(request);
  }

  #giveUp(request: Request, timeUs: number): void {
    if (!this.#live.has(request)) return;
    if (!Number.isNaN(request.queuedUs) && !request.isDone) this.#parts.scheduler.abort(request);
    this.#record(request, "aborted", "the client gave up");
    this.#workload.onFinished(request.spec, timeUs);
  }

  /** Idles until something happens. @returns false when nothing ever will */
  #waitForNews(): boolean {
    const nextUs = Math.min(this.#workload.peekArrivalUs(), this.#events.peekTimeUs());
    if (Number.isFinite(nextUs)) {
      this.#nowUs = Math.max(this.#nowUs, nextUs);
      return true;
    }
    if (this.#parts.scheduler.hasRequests) {
      throw new InvariantError(
        `the scheduler is stuck at ${this.#nowUs} µs with ${this.#parts.scheduler.numWaiting} waiting requests and nothing running`,
      );
    }
    return false;
  }

  #record(request: Request, status: RequestStatus, reason: string | null): void {
    this.#live.delete(request);
    this.#lastActUs = this.#nowUs;
    this.#records[request.arrivalSequence] = {
      id: request.id,
      sessionId: request.spec.sessionId,
      status,
      reason,
      arrivalUs: request.spec.arrivalUs,
      firstScheduledUs: request.firstScheduledUs,
      firstTokenUs: request.firstTokenUs,
      lastTokenUs: request.lastTokenUs,
      queueUs: request.firstScheduledUs - request.queuedUs,
      numPromptTokens: request.numPromptTokens,
      numCachedTokens: request.numCachedTokens,
      numOutputTokens: request.numSeenTokens,
      numPreemptions: request.numPreemptions,
    };
  }

  #stats(): EngineStats {
    const { stepModel, numGpuBlocks } = this.#parts;
    const total = this.#componentsUs.reduce((sum, us) => sum + us, 0);
    return {
      steps: this.#numSteps,
      simulatedUs: this.#lastActUs,
      preemptions: this.#numPreemptions,
      numGpuBlocks,
      kvPeakUsedFraction: this.#kvPeakUsedFraction,
      prefixCacheHitFraction: this.#numLookedUpTokens === 0 ? 0 : this.#numCachedTokens / this.#numLookedUpTokens,
      gpuBusyUs: this.#gpuBusyUs,
      limitedUs: this.#limitedUs,
      outputBusyUs: this.#outputBusyUs,
      gapsUs: this.#gapsUs,
      componentShares: Object.fromEntries(
        stepModel.componentNames.map((name, i) => [name, total === 0 ? 0 : this.#componentsUs[i]! / total]),
      ),
    };
  }
}
