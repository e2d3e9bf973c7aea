import { Deque } from "js-sdsl";
import { EventQueue, type SimulationEvent } from "../des/eventQueue.js";
import { InvariantError } from "../errors/simulationError.js";
import type { RequestStatus } from "../metrics/requestRecord.js";
import { Request } from "../request/request.js";
import type { RequestSpec } from "../request/requestSpec.js";
import { ScheduledStep } from "../scheduler/scheduledStep.js";
import type { Scheduler } from "../scheduler/scheduler.js";
import type { ServerOverheads } from "../stepmodel/serverOverheads.js";
import type { StepModel } from "../stepmodel/stepModel.js";
import type { Workload } from "../workload/workload.js";
import { GiveUps } from "./giveUps.js";
import { gpuStepUs } from "./gpuStepUs.js";
import type { EngineStats, RequestSink, StepObserver } from "./runResult.js";
import { SubmissionOrder } from "./submissionOrder.js";
import { TokenStream } from "./tokenStream.js";

/** A client sees the end of its request. */
interface FinishSeen extends SimulationEvent {
  readonly spec: RequestSpec;
}

/** Why a request was aborted, in its record. */
const GAVE_UP = "the client gave up";

/** What a server is made of. */
export interface ServerParts {
  readonly scheduler: Scheduler;
  readonly stepModel: StepModel;
  readonly overheads: ServerOverheads;
  readonly maxNumSeqs: number;
  readonly numGpuBlocks: number;
  /** Steps in flight: 1 = synchronous, 2 = asynchronous scheduling. */
  readonly queueDepth: number;
}

/**
 * One vLLM server and its clients over simulated time: client → front end → engine core's busy loop → GPU → client.
 * The loop is vLLM's: drain what has arrived, schedule, launch, and wait for the oldest step only when the queue of
 * steps is full or there is nothing to schedule; so with depth 2 the next step is planned while one runs.
 * @see vLLM `vllm/v1/engine/core.py`: step, step_with_batch_queue
 */
export class ServerLoop {
  readonly #parts: ServerParts;
  readonly #workload: Workload;
  readonly #observer: StepObserver | null;
  // What will happen. At the same instant finishes are seen first, then requests enter, then clients give up.
  readonly #finishesSeen = new EventQueue<FinishSeen>();
  /** Requests on their way through the front end, which passes them on as they came. */
  readonly #entering = new Deque<Request>();
  readonly #giveUps = new GiveUps();
  /** When the first of these, or an arrival, happens. */
  #nextUs = 0;
  readonly #componentsUs: Float64Array;
  readonly #stream: TokenStream;
  readonly #ended: SubmissionOrder;
  /** Used in turn: `queueDepth` in flight, the last one done, and the one being planned. */
  readonly #steps: readonly ScheduledStep[];
  /** When each of them leaves the GPU. */
  readonly #stepEndsUs: Float64Array;
  #oldestStep = 0;
  #numInFlight = 0;
  #numSubmitted = 0;
  #numEnded = 0;
  #nowUs = 0;
  /** When something last happened to a request or a step: a client's unused timeout may lie far behind it. */
  #lastActUs = 0;
  #gpuFreeUs = 0;
  #frontEndFreeUs = 0;
  #numSteps = 0;
  #numPreemptions = 0;
  #gpuBusyUs = 0;
  #limitedUs = 0;
  #kvPeakUsedFraction = 0;
  #numCachedTokens = 0;
  #numLookedUpTokens = 0;

  constructor(parts: ServerParts, workload: Workload, observer: StepObserver | null, sink: RequestSink) {
    this.#parts = parts;
    this.#workload = workload;
    this.#observer = observer;
    this.#stream = new TokenStream(parts.overheads);
    this.#ended = new SubmissionOrder(sink);
    this.#componentsUs = new Float64Array(parts.stepModel.componentNames.length);
    this.#steps = Array.from({ length: parts.queueDepth + 2 }, () => new ScheduledStep(parts.maxNumSeqs));
    this.#stepEndsUs = new Float64Array(this.#steps.length);
    parts.scheduler.onSettled = (request, numTokens, numBefore) => this.#stream.settle(request, numTokens, numBefore);
  }

  /** Runs until no request is left; each goes to the sink when it has ended. */
  run(): EngineStats {
    this.#lookAhead();
    while (this.#advance()) {}
    if (this.#numEnded !== this.#numSubmitted) {
      throw new InvariantError(`${this.#numSubmitted - this.#numEnded} requests have no end at ${this.#nowUs} µs`);
    }
    return this.#stats();
  }

  /** One turn of the engine core's busy loop. @returns false when nothing is left to do */
  #advance(): boolean {
    const { scheduler, queueDepth } = this.#parts;
    this.#drain();
    if (scheduler.hasRequests) {
      const numScheduled = this.#scheduleStep();
      const oldestEndUs = this.#stepEndsUs[this.#oldestStep]!;
      if (numScheduled > 0 && this.#numInFlight < queueDepth && oldestEndUs > this.#nowUs) return true;
      if (numScheduled === 0 && this.#numInFlight === 1 && scheduler.numRunning === 0) this.#waitForNews();
    }
    if (this.#numInFlight > 0) {
      this.#completeOldest();
      return true;
    }
    return this.#waitForNews();
  }

  /** Plans a step and sends it to the GPU. @returns its number of requests */
  #scheduleStep(): number {
    const { scheduler, stepModel, overheads } = this.#parts;
    const index = (this.#oldestStep + this.#numInFlight++) % this.#steps.length;
    const step = this.#steps[index]!;
    scheduler.schedule(step);
    this.#nowUs += overheads.scheduleUs;
    this.#numPreemptions += step.numPreempted;
    this.#noteAdmissions(step);
    let endUs = this.#nowUs;
    if (step.numRequests > 0) {
      const startUs = Math.max(this.#gpuFreeUs, this.#nowUs);
      const gpuUs = gpuStepUs(stepModel.gpuUs(step.batch, this.#componentsUs));
      endUs = startUs + gpuUs;
      this.#gpuFreeUs = endUs;
      this.#gpuBusyUs += gpuUs;
      if (scheduler.numWaiting > 0) this.#limitedUs += gpuUs;
      this.#numSteps++;
      this.#kvPeakUsedFraction = Math.max(this.#kvPeakUsedFraction, scheduler.kvUsageFraction);
      this.#observer?.onStep(step, startUs, endUs, scheduler);
    }
    this.#stepEndsUs[index] = endUs;
    return step.numRequests;
  }

  #noteAdmissions(step: ScheduledStep): void {
    for (let row = 0; row < step.numRows; row++) {
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
    const index = this.#oldestStep;
    const step = this.#steps[index]!;
    this.#oldestStep = (index + 1) % this.#steps.length;
    this.#numInFlight--;
    this.#nowUs = Math.max(this.#nowUs, this.#stepEndsUs[index]!);
    if (step.numRequests === 0) return;
    this.#drain();
    const updatedUs = this.#nowUs + overheads.updateUs;
    const lastSeenUs = this.#stream.lastSeenUs(updatedUs, step.numRequests);
    // Whose client may not see its token needs a row, where that is looked at.
    if (step.numLockstep > 0 && this.#isGivenUpBefore(lastSeenUs)) scheduler.settle();
    scheduler.update(step);
    this.#nowUs = updatedUs;
    this.#stream.deliver(step, updatedUs);
    for (let i = 0; i < step.numFinished; i++) this.#finish(step.finished[i]!);
    this.#lastActUs = this.#nowUs;
  }

  #isGivenUpBefore(timeUs: number): boolean {
    if (this.#giveUps.peekTimeUs() >= timeUs) return false;
    this.#giveUps.dropEndedFirst();
    this.#lookAhead();
    return this.#giveUps.peekTimeUs() < timeUs;
  }

  /** A request whose last token its client has seen is completed; any other has been given up, or will be. */
  #finish(request: Request): void {
    const { spec, lastTokenUs } = request;
    if (request.numSeenTokens < request.numOutputTokens) return;
    this.#record(request, "completed", null);
    if (this.#workload.ignoresFinishes) return;
    this.#finishesSeen.push({ timeUs: lastTokenUs, priority: 0, spec });
    if (lastTokenUs < this.#nextUs) this.#nextUs = lastTokenUs;
  }

  /** Handles all that has happened up to now: requests sent, entered or given up, and ends that clients have seen. */
  #drain(): void {
    while (this.#nextUs <= this.#nowUs) this.#handleNext();
  }

  /** Finds out when something happens next; to be called when that may have changed. */
  #lookAhead(): void {
    const enterUs = this.#entering.front()?.enterUs ?? Number.POSITIVE_INFINITY;
    const eventUs = Math.min(this.#finishesSeen.peekTimeUs(), enterUs, this.#giveUps.peekTimeUs());
    this.#nextUs = Math.min(this.#workload.peekArrivalUs(), eventUs);
  }

  #handleNext(): void {
    const timeUs = this.#nextUs;
    if (this.#finishesSeen.peekTimeUs() === timeUs) this.#workload.onFinished(this.#finishesSeen.pop()!.spec, timeUs);
    else if (this.#entering.front()?.enterUs === timeUs) this.#enter(this.#entering.popFront()!, timeUs);
    else if (this.#giveUps.peekTimeUs() === timeUs) this.#giveUp(this.#giveUps.pop(), timeUs);
    else this.#send(this.#workload.take());
    this.#lookAhead();
  }

  /** A client sends a request; the front end passes requests on in the order they came. */
  #send(spec: RequestSpec): void {
    const { overheads } = this.#parts;
    const request = new Request(spec, this.#numSubmitted++);
    const delayUs = overheads.frontEndUs + overheads.frontEndUsPerPromptToken * spec.numPromptTokens;
    request.enterUs = Math.max(this.#frontEndFreeUs, spec.arrivalUs + Math.round(delayUs));
    this.#frontEndFreeUs = request.enterUs;
    this.#entering.pushBack(request);
    this.#giveUps.add(request);
  }

  #enter(request: Request, timeUs: number): void {
    if (request.hasEnded) return;
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
    if (request.hasEnded) return;
    if (!Number.isNaN(request.queuedUs) && !request.isDone) this.#parts.scheduler.abort(request);
    this.#record(request, "aborted", GAVE_UP);
    this.#workload.onFinished(request.spec, timeUs);
  }

  /** Idles until something happens. @returns false when nothing ever will */
  #waitForNews(): boolean {
    if (Number.isFinite(this.#nextUs)) {
      this.#nowUs = Math.max(this.#nowUs, this.#nextUs);
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
    request.hasEnded = true;
    if (reason !== GAVE_UP && this.#giveUps.onEnd(request)) this.#lookAhead();
    this.#numEnded++;
    this.#lastActUs = this.#nowUs;
    const record = {
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
    this.#ended.end(request.arrivalSequence, record, request.spec);
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
      outputBusyUs: this.#stream.busyUs,
      gapsUs: this.#stream.gapsUs,
      componentShares: Object.fromEntries(
        stepModel.componentNames.map((name, i) => [name, total === 0 ? 0 : this.#componentsUs[i]! / total]),
      ),
    };
  }
}
