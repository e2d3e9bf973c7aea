import { EventQueue, type SimulationEvent } from "../des/eventQueue.js";
import { InvariantError } from "../errors/simulationError.js";
import type { RequestSpec } from "../request/requestSpec.js";
import type { Conversation, ConversationSource } from "./conversation.js";
import { type RunLimits, sendDraft } from "./runLimits.js";
import type { StartSchedule } from "./startSchedule.js";
import type { Workload } from "./workload.js";

/** A turn of a conversation, as its place in it. */
interface Position {
  readonly conversation: Conversation;
  readonly turn: number;
}

interface FollowUp extends SimulationEvent, Position {}

/**
 * Every generated workload: a source says what is asked, a schedule when conversations begin, and later turns come
 * a think time after the one before has ended. Holds only what is in flight, so a run of any length streams.
 */
export class ConversationWorkload implements Workload {
  readonly #source: ConversationSource;
  readonly #starts: StartSchedule;
  readonly #limits: RunLimits;
  readonly #followUps = new EventQueue<FollowUp>();
  readonly #inFlight = new Map<string, Position>();
  /** Drawn but not begun; undefined = not drawn yet, null = the source is dry. */
  #nextConversation: Conversation | null | undefined;
  #numTaken = 0;
  #lastArrivalUs = 0;

  constructor(source: ConversationSource, starts: StartSchedule, limits: RunLimits) {
    this.#source = source;
    this.#starts = starts;
    this.#limits = limits;
  }

  peekArrivalUs(): number {
    if (this.#numTaken >= this.#limits.maxRequests) return Number.POSITIVE_INFINITY;
    const arrivalUs = Math.min(this.#followUps.peekTimeUs(), this.#peekStartUs());
    return arrivalUs < this.#limits.endUs ? arrivalUs : Number.POSITIVE_INFINITY;
  }

  take(): RequestSpec {
    const arrivalUs = this.peekArrivalUs();
    if (!Number.isFinite(arrivalUs)) throw new InvariantError("take() called while no request is known");
    const position = this.#followUps.peekTimeUs() <= this.#peekStartUs() ? this.#takeFollowUp() : this.#takeStart();
    const { draft } = position.conversation.turns[position.turn]!;
    this.#inFlight.set(draft.id, position);
    this.#numTaken++;
    this.#lastArrivalUs = arrivalUs;
    return sendDraft(draft, arrivalUs, this.#limits);
  }

  onFinished(spec: RequestSpec, nowUs: number): void {
    const position = this.#inFlight.get(spec.id);
    if (position === undefined) throw new InvariantError(`request ${spec.id} ended twice or was never sent`);
    this.#inFlight.delete(spec.id);
    // An engine may take arrivals ahead of its clock; what it releases must still not arrive before them.
    const fromUs = Math.max(Math.ceil(nowUs), this.#lastArrivalUs);
    const next = position.conversation.turns[position.turn + 1];
    if (next === undefined) {
      this.#starts.onConversationEnd(fromUs);
      return;
    }
    const timeUs = fromUs + Math.round(next.thinkUs);
    this.#followUps.push({ timeUs, priority: 0, conversation: position.conversation, turn: position.turn + 1 });
  }

  #peekStartUs(): number {
    const startUs = this.#starts.peekUs();
    if (!Number.isFinite(startUs)) return startUs;
    if (this.#nextConversation === undefined) this.#nextConversation = this.#source.next();
    // A stream may have become free before the last arrival was taken.
    return this.#nextConversation === null ? Number.POSITIVE_INFINITY : Math.max(startUs, this.#lastArrivalUs);
  }

  #takeStart(): Position {
    const conversation = this.#nextConversation as Conversation;
    this.#nextConversation = undefined;
    this.#starts.take();
    return { conversation, turn: 0 };
  }

  #takeFollowUp(): Position {
    return this.#followUps.pop() as FollowUp;
  }
}
