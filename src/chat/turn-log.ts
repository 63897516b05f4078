// The events of a turn in memory, small enough that a thousand open streams fit: a piece of the answer is kept as its
// text alone, and the state of the turn is folded only for whom it is told to.
import type { TurnEvent } from '../contract/turn-event.ts';
import type { TurnSnapshot } from '../contract/turn-snapshot.ts';
import { copyFold, emptyFold, type FoldedTurn, foldEvent, toSnapshot } from './fold-turn.ts';

/** An event with its number within the turn: 1, 2, 3 … */
export interface NumberedEvent {
  readonly id: number;
  readonly event: TurnEvent;
}

/** Events that a turn keeps for those who come late; older ones are told as a snapshot. */
const MAX_EVENTS = 10_000;
/** Characters of text in those events. */
const MAX_CHARACTERS = 2_000_000;
/** Dropping the oldest moves the rest: done a share at a time. */
const DROPPED_SHARE = 4;

/** A longer list is made for one watcher who comes late, and is not held for others. */
const SHARED_EVENTS = 64;

export interface TurnLogOptions {
  readonly turnId: string;
  readonly sessionId: string;
  readonly createdAt: string;
}

/** Has a lifetime: that of its turn. */
export class TurnLog {
  readonly #options: TurnLogOptions;
  /** A `content_delta` is its text; everything else is itself. */
  readonly #kept: (string | TurnEvent)[] = [];
  /** The state after the events that are gone from the front. */
  readonly #droppedFold = emptyFold();
  #dropped = 0;
  #characters = 0;
  /** The number of the event that tells how the turn ended: the answer or the error. */
  #closingId = Number.POSITIVE_INFINITY;
  /** What was asked for last: watchers that keep up ask for the same. */
  #newest: { readonly after: number; readonly events: readonly NumberedEvent[] } | null = null;

  constructor(options: TurnLogOptions) {
    this.#options = options;
  }

  get lastId(): number {
    return this.#dropped + this.#kept.length;
  }

  /** Roughly what it holds in memory, in characters. */
  get size(): number {
    const { message } = this.#droppedFold;
    return this.#characters + (message?.content.length ?? 0) + (message?.thinking?.length ?? 0);
  }

  /** The assistant message that is being written, or was written last. */
  get messageId(): string | null {
    const begun = this.#kept.findLast(
      (kept) => typeof kept === 'object' && kept.event === 'status' && kept.data.message_id !== undefined,
    );
    const status = typeof begun === 'object' && begun.event === 'status' ? begun.data.message_id : undefined;
    return status ?? this.#droppedFold.message?.message_id ?? null;
  }

  append(events: readonly TurnEvent[]): void {
    this.#newest = null;
    for (const event of events) {
      this.#kept.push(event.event === 'content_delta' ? event.data.content : event);
      this.#characters += sizeOf(event);
      if (event.event === 'message_complete' || event.event === 'error') this.#closingId = this.lastId;
    }
    if (this.#kept.length > MAX_EVENTS || this.#characters > MAX_CHARACTERS) this.#dropOldest();
  }

  /**
   * The events after a number; a snapshot first where events are gone.
   * @param isShared others are likely to ask for the same
   */
  after(seen: number, isShared: boolean): readonly NumberedEvent[] {
    if (this.#newest?.after === seen) return this.#newest.events;
    const events = this.#read(seen);
    if (isShared && events.length <= SHARED_EVENTS) this.#newest = { after: seen, events };
    return events;
  }

  #read(seen: number): NumberedEvent[] {
    if (seen >= this.#dropped) return this.#from(seen + 1);
    const data = this.#snapshot();
    // The answer or the error, and `done`, are told to everyone.
    const closing = this.#from(Math.max(data.turn.last_event_id, seen) + 1);
    return [{ id: data.turn.last_event_id, event: { event: 'snapshot', data } }, ...closing];
  }

  #from(firstId: number): NumberedEvent[] {
    const events: NumberedEvent[] = [];
    for (let index = firstId - 1 - this.#dropped; index < this.#kept.length; index += 1) {
      events.push({ id: this.#dropped + index + 1, event: toEvent(this.#kept[index]) });
    }
    return events;
  }

  /** The state now, or before the answer was complete or the error came. */
  #snapshot(): TurnSnapshot {
    const lastId = Math.min(this.lastId, this.#closingId - 1);
    const fold = copyFold(this.#droppedFold);
    this.#foldInto(fold, lastId - this.#dropped);
    const { turnId, sessionId, createdAt } = this.#options;
    return toSnapshot(fold, {
      turn_id: turnId,
      session_id: sessionId,
      created_at: createdAt,
      last_event_id: lastId,
    });
  }

  #dropOldest(): void {
    const share = Math.ceil(this.#kept.length / DROPPED_SHARE);
    const count = Math.min(share, this.#closingId - 1 - this.#dropped);
    this.#foldInto(this.#droppedFold, count);
    for (const kept of this.#kept.splice(0, count)) this.#characters -= sizeOf(toEvent(kept));
    this.#dropped += count;
  }

  #foldInto(fold: FoldedTurn, count: number): void {
    for (const kept of this.#kept.slice(0, count)) foldEvent(fold, toEvent(kept));
  }
}

function toEvent(kept: string | TurnEvent = ''): TurnEvent {
  if (typeof kept === 'object') return kept;
  return { event: 'content_delta', data: { content: kept, role: 'assistant' } };
}

/** What an event weighs besides its text. */
const EVENT_OVERHEAD = 100;

function sizeOf(event: TurnEvent): number {
  switch (event.event) {
    case 'content_delta':
    case 'thinking_delta':
      return EVENT_OVERHEAD + event.data.content.length;
    case 'message_complete':
      return EVENT_OVERHEAD + event.data.message.content.length;
    case 'tool_result':
      return EVENT_OVERHEAD + event.data.result.length;
    default:
      return EVENT_OVERHEAD;
  }
}
