// A turn while it lives: the log of its events, whoever watches, and the one switch that stops it.
import type { DisconnectPolicy } from '../contract/chat.ts';
import { MochiError } from '../contract/errors.ts';
import type { TurnEvent } from '../contract/turn-event.ts';
import { emptyFold, foldEvent, toSnapshot } from './fold-turn.ts';

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
/** Connections that may watch one turn. */
const MAX_WATCHERS = 2000;

/** What a connection needs of a turn, whether it lives or is told from its rows. */
export type WatchableTurn = Pick<
  LiveTurn,
  'turnId' | 'sessionId' | 'lastEventId' | 'isFinished' | 'watcherCount' | 'hold' | 'watch'
>;

interface LiveTurnOptions {
  readonly turnId: string;
  readonly sessionId: string;
  readonly createdAt: string;
}

/** Has a lifetime: from acceptance to the last event. Watchers come and go without touching the turn. */
export class LiveTurn {
  readonly turnId: string;
  readonly sessionId: string;
  readonly #options: LiveTurnOptions;
  readonly #abort = new AbortController();
  readonly #fold = emptyFold();
  readonly #wakers = new Set<() => void>();
  #events: NumberedEvent[] = [];
  /** Events that are gone from the front of the log. */
  #dropped = 0;
  #characters = 0;
  /** Told to all who come late, until the log has moved past it; once the turn is closing, for good. */
  #snapshot: NumberedEvent | null = null;
  #isClosing = false;
  #isFinished = false;
  /** Connections of requests for this turn that are open. */
  #holders = 0;

  constructor(options: LiveTurnOptions) {
    this.turnId = options.turnId;
    this.sessionId = options.sessionId;
    this.#options = options;
  }

  /** Aborted when the turn is to stop; its reason says why. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get lastEventId(): number {
    return this.#dropped + this.#events.length;
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** The assistant message that is being written, or was written last. */
  get messageId(): string | null {
    return this.#fold.message?.message_id ?? null;
  }

  /** Roughly what the log holds in memory, in characters. */
  get size(): number {
    const { message } = this.#fold;
    return this.#characters + (message?.content.length ?? 0) + (message?.thinking?.length ?? 0);
  }

  get watcherCount(): number {
    return this.#wakers.size;
  }

  /** Stops the turn; the first reason holds. */
  stop(reason: MochiError): void {
    if (!this.#isFinished) this.#abort.abort(reason);
  }

  /**
   * A connection whose request asked for this turn. A repeated request holds it too: the loss of the first
   * connection must not cancel what the second one waits for. The policy of the last one to leave decides.
   * @returns what to call when the connection closes before the end
   */
  hold(policy: DisconnectPolicy): { release(): void } {
    this.#holders += 1;
    return {
      release: () => {
        this.#holders -= 1;
        if (this.#holders > 0 || policy === 'continue') return;
        this.stop(new MochiError('turn_cancelled', 'The client left; what came until then is kept.'));
      },
    };
  }

  append(events: readonly TurnEvent[]): void {
    for (const event of events) {
      if (event.event === 'message_complete' || event.event === 'error') {
        this.#snapshot = this.#takeSnapshot();
        this.#isClosing = true;
      }
      this.#events.push({ id: this.lastEventId + 1, event });
      this.#characters += sizeOf(event);
      foldEvent(this.#fold, event);
    }
    if (this.#events.length > MAX_EVENTS || this.#characters > MAX_CHARACTERS) this.#dropOldest();
    this.#wake();
  }

  /** No event comes after this. */
  finish(): void {
    this.#isFinished = true;
    this.#wake();
  }

  /**
   * The events after number `after`, then those that follow, in batches of what there is; a snapshot first
   * where events are gone. Every watcher sees the same list. Ends after the last event, or when the signal aborts.
   * @throws MochiError overloaded
   */
  watch(after: number, signal: AbortSignal): AsyncGenerator<readonly NumberedEvent[], void> {
    if (this.#wakers.size >= MAX_WATCHERS) {
      throw new MochiError(
        'overloaded',
        `Turn ${this.turnId} has too many watchers. Try again when some have left.`,
        {
          turn_id: this.turnId,
        },
      );
    }
    return this.#follow(after, signal);
  }

  async *#follow(after: number, signal: AbortSignal): AsyncGenerator<readonly NumberedEvent[], void> {
    let seen = after;
    let resume: (() => void) | null = null;
    const wake = () => resume?.();
    this.#wakers.add(wake);
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        if (seen < this.lastEventId) {
          const batch = this.#eventsAfter(seen);
          seen = this.lastEventId;
          yield batch;
        } else if (this.#isFinished) {
          return;
        } else {
          await new Promise<void>((resolve) => {
            resume = resolve;
          });
        }
      }
    } finally {
      this.#wakers.delete(wake);
      signal.removeEventListener('abort', wake);
    }
  }

  #eventsAfter(seen: number): NumberedEvent[] {
    if (seen >= this.#dropped) return this.#events.slice(seen - this.#dropped);
    const snapshot = this.#sharedSnapshot();
    // The answer or the error, and `done`, are told to everyone.
    const following = this.#events.filter(({ id }) => id > Math.max(snapshot.id, seen));
    return [snapshot, ...following];
  }

  /** One object for many watchers, so that its text is encoded once for all of them. */
  #sharedSnapshot(): NumberedEvent {
    const isUsable = this.#isClosing || (this.#snapshot?.id ?? -1) >= this.#dropped;
    if (this.#snapshot === null || !isUsable) this.#snapshot = this.#takeSnapshot();
    return this.#snapshot;
  }

  #takeSnapshot(): NumberedEvent {
    const data = toSnapshot(this.#fold, {
      turn_id: this.turnId,
      session_id: this.sessionId,
      created_at: this.#options.createdAt,
      last_event_id: this.lastEventId,
    });
    return { id: this.lastEventId, event: { event: 'snapshot', data } };
  }

  #dropOldest(): void {
    const gone = this.#events.splice(0, Math.ceil(this.#events.length / DROPPED_SHARE));
    this.#dropped += gone.length;
    for (const { event } of gone) this.#characters -= sizeOf(event);
  }

  #wake(): void {
    for (const wake of this.#wakers) wake();
  }
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
