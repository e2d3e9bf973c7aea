import { EventQueue, type SimulationEvent } from "../des/eventQueue.js";
import { InvariantError } from "../errors/simulationError.js";
import type { RequestSpec } from "../request/requestSpec.js";
import type { ConversationSource, Turn } from "./conversation.js";
import { type RunLimits, sendDraft } from "./runLimits.js";
import type { StartSchedule } from "./startSchedule.js";
import type { Workload } from "./workload.js";

interface FollowUp extends SimulationEvent {
  readonly turn: Turn;
}

/**
 * Every generated workload: a source says what is asked, a schedule when conversations begin, and later turns come
 * a think time after the one before has ended. Holds only what is in flight, so a run of any length streams.
 */
export class ConversationWorkload implements Workload {
  readonly ignoresFinishes: boolean;
  readonly #source: ConversationSource;
  readonly #starts: StartSchedule;
  readonly #limits: RunLimits;
  readonly #followUps = new EventQueue<FollowUp>();
  /** What comes after the turns in flight that are not the last, by the id of the one before. */
  readonly #following = new Map<string, Turn>();
  #numLastInFlight = 0;
  /** Drawn but not begun; undefined = not drawn yet, null = the source is dry. */
  #nextConversation: Turn | null | undefined;
  #numTaken = 0;
  #lastArrivalUs = 0;
  /** What `peekArrivalUs` found, until something changes; NaN = to be found. An engine asks at every step. */
  #peekedUs = Number.NaN;

  constructor(source: ConversationSource, starts: StartSchedule, limits: RunLimits) {
    this.ignoresFinishes = !source.hasSessions && !starts.followsEnds;
    this.#source = source;
    this.#starts = starts;
    this.#limits = limits;
  }

  peekArrivalUs(): number {
    if (Number.isNaN(this.#peekedUs)) this.#peekedUs = this.#findArrivalUs();
    return this.#peekedUs;
  }

  take(): RequestSpec {
    const arrivalUs = this.peekArrivalUs();
    if (!Number.isFinite(arrivalUs)) throw new InvariantError("take() called while no request is known");
    const { draft, following } =
      this.#followUps.peekTimeUs() <= this.#peekStartUs() ? this.#takeFollowUp() : this.#takeStart();
    if (following === null) this.#numLastInFlight++;
    else this.#following.set(draft.id, following);
    this.#numTaken++;
    this.#lastArrivalUs = arrivalUs;
    this.#peekedUs = Number.NaN;
    return sendDraft(draft, arrivalUs, this.#limits);
  }

  onFinished(spec: RequestSpec, nowUs: number): void {
    this.#peekedUs = Number.NaN;
    // An engine may take arrivals ahead of its clock; what it releases must still not arrive before them.
    const fromUs = Math.max(Math.ceil(nowUs), this.#lastArrivalUs);
    const turn = this.#following.size === 0 ? undefined : this.#following.get(spec.id);
    if (turn === undefined) {
      if (this.#numLastInFlight-- === 0) throw new InvariantError(`request ${spec.id} ended twice or was never sent`);
      this.#starts.onConversationEnd(fromUs);
      return;
    }
    this.#following.delete(spec.id);
    this.#followUps.push({ timeUs: fromUs + Math.round(turn.thinkUs), priority: 0, turn });
  }

  #findArrivalUs(): number {
    if (this.#numTaken >= this.#limits.maxRequests) return Number.POSITIVE_INFINITY;
    const arrivalUs = Math.min(this.#followUps.peekTimeUs(), this.#peekStartUs());
    return arrivalUs < this.#limits.endUs ? arrivalUs : Number.POSITIVE_INFINITY;
  }

  #peekStartUs(): number {
    const startUs = this.#starts.peekUs();
    if (!Number.isFinite(startUs)) return startUs;
    if (this.#nextConversation === undefined) this.#nextConversation = this.#source.next();
    // A stream may have become free before the last arrival was taken.
    return this.#nextConversation === null ? Number.POSITIVE_INFINITY : Math.max(startUs, this.#lastArrivalUs);
  }

  #takeStart(): Turn {
    const conversation = this.#nextConversation as Turn;
    this.#nextConversation = undefined;
    this.#starts.take();
    return conversation;
  }

  #takeFollowUp(): Turn {
    return (this.#followUps.pop() as FollowUp).turn;
  }
}
