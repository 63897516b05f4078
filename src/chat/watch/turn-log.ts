// The events of a turn in memory, small enough that a thousand open streams fit: a piece of the answer is kept as its
// text alone, and the state of the turn is folded only for whom it is told to.
import type { ContextReceipt } from '../../contract/context-window.ts';
import type { TurnState } from '../../contract/turn.ts';
import type { TurnEvent } from '../../contract/turn-event.ts';
import type { SnapshotMessage } from '../../contract/turn-snapshot.ts';
import { flatText } from '../../kit/flat-text.ts';
import { copyFold, emptyFold, type FoldedTurn, foldEvent, toSnapshot } from './fold-turn.ts';
import { weigh, weighEvent } from './weigh-event.ts';

/** An event as a watcher is told it. */
export interface ToldEvent {
  /** Null: it is about the connection, and no part of the turn. */
  readonly id: number | null;
  readonly event: TurnEvent;
}

/** An event with its number within the turn: 1, 2, 3 … */
export interface NumberedEvent extends ToldEvent {
  readonly id: number;
}

/** Events that a turn keeps for those who come late; older ones are told as a snapshot. */
const MAX_EVENTS = 10_000;
/** Characters of text in those events. */
const MAX_CHARACTERS = 2_000_000;
/** Dropping the oldest moves the rest: done a share at a time. */
const DROPPED_SHARE = 4;

/** A longer list is made for one watcher who comes late, and is not held for others. */
const SHARED_EVENTS = 64;

/** Of most turns nothing is ever dropped. */
const NOTHING_DROPPED = emptyFold();

export interface LoggedTurn {
  readonly turnId: string;
  readonly sessionId: string;
  readonly createdAt: string;
}

/** Where it goes on, of a turn that another run of the server began. */
export interface TurnStart {
  readonly lastEventId: number;
  readonly fold: FoldedTurn;
}

/** Has a lifetime: that of its turn. */
export class TurnLog {
  readonly #turn: LoggedTurn;
  /** A `content_delta` is its text alone; any other event is the same object for all who are told it. */
  readonly #kept: (string | NumberedEvent)[] = [];
  /** The state after the events that are gone from the front. */
  #droppedFold: FoldedTurn;
  #dropped: number;
  #characters = 0;
  /** Of the folded text, how much is in one piece. */
  #flatLength = 0;
  /** Of the snapshot that is kept for good, in characters. */
  #snapshotWeight = 0;
  /** The number of the event that tells how the turn ended: the answer or the error. */
  #closingId = Number.POSITIVE_INFINITY;
  /** What was asked for last: watchers that keep up ask for the same. */
  #newest: { readonly after: number; readonly events: readonly NumberedEvent[] } | null = null;
  /** Told to all who come late, until the log has moved past it; once the turn is closing, for good. */
  #snapshot: NumberedEvent | null = null;

  constructor(turn: LoggedTurn, start: TurnStart | null) {
    this.#turn = turn;
    this.#droppedFold = start?.fold ?? NOTHING_DROPPED;
    this.#dropped = start?.lastEventId ?? 0;
  }

  get lastId(): number {
    return this.#dropped + this.#kept.length;
  }

  /** Roughly what it holds in memory, in characters. */
  get size(): number {
    return this.#characters + weigh(this.#droppedFold) + this.#snapshotWeight;
  }

  get state(): TurnState {
    for (const kept of this.#kept.toReversed()) {
      const event = typeof kept === 'string' ? null : kept.event;
      if (event?.event === 'done') return event.data.state;
      if (event?.event !== 'status') continue;
      const { phase, model } = event.data;
      // Beside a model it has begun, and waits for the engine.
      if (phase === 'waiting_for_approval') return 'waiting';
      return phase === 'queued' && model === undefined ? 'queued' : 'running';
    }
    return this.#droppedFold.state;
  }

  /** The assistant message that is being written, or was written last. */
  get messageId(): string | null {
    for (const kept of this.#kept.toReversed()) {
      const event = typeof kept === 'string' ? null : kept.event;
      if (event?.event === 'status' && event.data.message_id !== undefined) return event.data.message_id;
    }
    return this.#droppedFold.message?.message_id ?? null;
  }

  /** What was sent for the answer that is being written, or was written last. */
  get receipt(): ContextReceipt | null {
    for (const kept of this.#kept.toReversed()) {
      if (typeof kept === 'string') continue;
      if (kept.event.event === 'context') return kept.event.data;
      if (kept.event.event === 'message_complete') return kept.event.data.context;
    }
    return this.#droppedFold.context;
  }

  append(events: readonly TurnEvent[]): void {
    this.#newest = null;
    for (const event of events) {
      const id = this.lastId + 1;
      this.#kept.push(event.event === 'content_delta' ? event.data.content : { id, event });
      this.#characters += weighEvent(event);
      if (event.event !== 'message_complete' && event.event !== 'error') continue;
      this.#closingId = id;
      this.#snapshot = null;
    }
    if (this.#kept.length > MAX_EVENTS || this.#characters > MAX_CHARACTERS) this.#dropOldest();
  }

  /** Nobody watches, and nothing may come for long: who comes is told the state. */
  letGo(): void {
    if (this.#closingId <= this.lastId) return;
    this.#newest = null;
    this.#drop(this.#kept.length);
  }

  /** No event comes any more: what late readers are told is made once, and what it was made of is let go. */
  close(): void {
    this.#newest = null;
    if (this.#dropped === 0) return;
    const { data } = this.#sharedSnapshot().event;
    const answer = this.#completeMessage();
    this.#snapshotWeight = weigh(data) - (answer === null ? 0 : textLength(answer));
    const { message } = this.#droppedFold;
    this.#droppedFold.toolCalls.length = 0;
    if (message !== null) this.#droppedFold.message = { ...message, content: '', thinking: null };
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

  #read(seen: number): readonly NumberedEvent[] {
    if (seen >= this.#dropped) return this.#from(seen + 1);
    const snapshot = this.#sharedSnapshot();
    // The answer or the error, and `done`, are told to everyone.
    return [snapshot, ...this.#from(Math.max(snapshot.id, seen) + 1)];
  }

  /** A list as long as it needs to be: it is held while those who were told it wait for more. */
  #from(firstId: number): NumberedEvent[] {
    return this.#kept
      .slice(firstId - 1 - this.#dropped)
      .map((kept, index) =>
        typeof kept === 'string' ? { id: firstId + index, event: toEvent(kept) } : kept,
      );
  }

  /** One object for many watchers, so that its text is encoded once for all of them. */
  #sharedSnapshot(): NumberedEvent {
    const isClosing = this.#closingId <= this.lastId;
    const isUsable = isClosing || (this.#snapshot?.id ?? -1) >= this.#dropped;
    if (this.#snapshot === null || !isUsable) this.#snapshot = this.#takeSnapshot();
    return this.#snapshot;
  }

  /** The state now, or before the answer was complete or the error came. */
  #takeSnapshot(): NumberedEvent {
    const id = Math.min(this.lastId, this.#closingId - 1);
    const fold = copyFold(this.#droppedFold);
    this.#foldInto(fold, id - this.#dropped);
    if (fold.message !== null) holdOnce(fold.message, this.#completeMessage());
    const { turnId, sessionId, createdAt } = this.#turn;
    const turn = { turn_id: turnId, session_id: sessionId, created_at: createdAt, last_event_id: id };
    return { id, event: { event: 'snapshot', data: toSnapshot(fold, turn) } };
  }

  #dropOldest(): void {
    const share = Math.ceil(this.#kept.length / DROPPED_SHARE);
    this.#drop(Math.min(share, this.#closingId - 1 - this.#dropped));
  }

  #drop(count: number): void {
    if (this.#droppedFold === NOTHING_DROPPED) this.#droppedFold = emptyFold();
    this.#foldInto(this.#droppedFold, count);
    for (const kept of this.#kept.splice(0, count)) this.#characters -= weighEvent(toEvent(kept));
    this.#dropped += count;
    this.#flatten();
  }

  /** Each time the text has doubled: as its pieces it would be many times as large. */
  #flatten(): void {
    const { message } = this.#droppedFold;
    const length = textLength(message);
    if (message === null || (length >= this.#flatLength && length < 2 * this.#flatLength)) return;
    holdOnce(message, null);
    this.#flatLength = length;
  }

  /** The answer as it was told whole; null where it was not. */
  #completeMessage(): SnapshotText | null {
    const kept = this.#kept[this.#closingId - 1 - this.#dropped];
    if (typeof kept !== 'object' || kept.event.event !== 'message_complete') return null;
    return kept.event.data.message;
  }

  #foldInto(fold: FoldedTurn, count: number): void {
    for (const kept of this.#kept.slice(0, count)) foldEvent(fold, toEvent(kept));
  }
}

type SnapshotText = Pick<SnapshotMessage, 'content' | 'thinking'>;

function textLength(message: SnapshotText | null): number {
  return (message?.content.length ?? 0) + (message?.thinking?.length ?? 0);
}

/** Its text in one piece: the very one of the whole answer, where that was told. */
function holdOnce(message: SnapshotMessage, answer: SnapshotText | null): void {
  message.content = flatText(answer?.content ?? message.content);
  const thinking = answer === null ? message.thinking : answer.thinking;
  message.thinking = thinking && flatText(thinking);
}

function toEvent(kept: string | NumberedEvent): TurnEvent {
  if (typeof kept === 'object') return kept.event;
  return { event: 'content_delta', data: { content: kept, role: 'assistant' } };
}
