// A turn while it lives: the log of its events, whoever watches, and the one switch that stops it.
import type { DisconnectPolicy } from '../../contract/chat.ts';
import type { ContextReceipt } from '../../contract/context-window.ts';
import { MochiError, PART_IS_KEPT } from '../../contract/errors.ts';
import type { TurnState } from '../../contract/turn.ts';
import type { TurnEvent } from '../../contract/turn-event.ts';
import type { Tenure } from '../../store/tenure.ts';
import { type LoggedTurn, type ToldEvent, TurnLog, type TurnStart } from './turn-log.ts';
import { type Watch, Watcher } from './watcher.ts';

/** Connections that may watch one turn. */
const MAX_WATCHERS = 2000;
/** How long a turn that waits for a person keeps its events when nobody watches. */
const KEPT_WHILE_WAITING_MS = 10 * 60 * 1000;

const NOTHING: readonly ToldEvent[] = [];
const NOBODY: readonly Watcher[] = [];

/** How far a watcher goes: to the end of the turn, or as far as it has come. */
export type WatchReach = 'end' | 'there';

/** Of a connection whose request asked for a turn. */
export interface TurnHold {
  /** It has closed before the end. */
  release(): void;
  /** It has been answered. */
  end(): void;
}

/** What a connection needs of a turn, whether it lives or is told from its rows. */
export type WatchableTurn = Pick<
  LiveTurn,
  'turnId' | 'sessionId' | 'lastEventId' | 'isFinished' | 'watcherCount' | 'loss' | 'hold' | 'watch'
>;

/** Has a lifetime: from acceptance to the last event. Watchers come and go without touching the turn. */
export class LiveTurn {
  readonly turnId: string;
  /** Empty: of one that is stored nowhere. */
  readonly sessionId: string;
  readonly createdAt: string;
  /** Resolves when it is durable and its first events were told: nobody hears of it before, nor does the engine. */
  opened: Promise<void> = Promise.resolve();
  /** By which it is driven here; null: nobody else can have it. */
  tenure: Tenure | null = null;
  /** Another instance has it: nothing of it goes on here, and no end of it is told. */
  isLost = false;
  readonly #log: TurnLog;
  readonly #abort = new AbortController();
  /** As long as it needs to be: most turns have one. */
  #watchers: readonly Watcher[] = NOBODY;
  /** For whoever waits for the end. */
  #finished: PromiseWithResolvers<void> | null = null;
  #isFinished = false;
  #isWaiting = false;
  #letGo: NodeJS.Timeout | null = null;
  /** Told to those who watch when the server stops and the turn goes on at the next start. */
  farewell: readonly ToldEvent[] = NOTHING;
  /** Connections of requests for this turn that are open. */
  #holders = 0;

  constructor({ turnId, sessionId, createdAt, start }: LoggedTurn & { readonly start?: TurnStart }) {
    this.turnId = turnId;
    this.sessionId = sessionId;
    this.createdAt = createdAt;
    this.#log = new TurnLog(this, start ?? null);
  }

  /** Aborted when the turn is to stop; its reason says why. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get lastEventId(): number {
    return this.#log.lastId;
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** Resolves when no event comes any more. */
  get finished(): Promise<void> {
    if (this.#isFinished) return Promise.resolve();
    this.#finished ??= Promise.withResolvers();
    return this.#finished.promise;
  }

  get isPassing(): boolean {
    return this.sessionId === '';
  }

  /** As its events tell it. */
  get state(): TurnState {
    return this.#log.state;
  }

  /** The assistant message that is being written, or was written last. */
  get messageId(): string | null {
    return this.#log.messageId;
  }

  /** What was sent for that message; null before the first plan. */
  get receipt(): ContextReceipt | null {
    return this.#log.receipt;
  }

  /** Roughly what the log holds in memory, in characters. */
  get size(): number {
    return this.#log.size;
  }

  get watcherCount(): number {
    return this.#watchers.length;
  }

  /** Whether it waits for a person. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  set isWaiting(isWaiting: boolean) {
    this.#isWaiting = isWaiting;
    this.#planLetGo();
  }

  /** Stops the turn; the first reason holds. */
  stop(reason: MochiError): void {
    if (!this.#isFinished) this.#abort.abort(reason);
  }

  /**
   * A connection whose request asked for this turn. A repeated request holds it too: the loss of the first
   * connection must not cancel what the second one waits for.
   */
  hold(policy: DisconnectPolicy): TurnHold {
    this.#holders += 1;
    return new Holding(this, policy);
  }

  /** A connection is no part of it any more. @param cancels whether it stops with the last one */
  endHold(cancels: boolean): void {
    this.#holders -= 1;
    if (!cancels || this.#holders > 0) return;
    this.stop(new MochiError('turn_cancelled', `The client left${PART_IS_KEPT}.`));
  }

  append(events: readonly TurnEvent[]): void {
    if (this.isLost) return;
    this.#log.append(events);
    this.#wake();
  }

  /** The server stops, and the turn goes on at its next start. @param farewell to those who watch now */
  suspend(farewell: readonly TurnEvent[]): void {
    this.farewell = farewell.map((event) => ({ id: null, event }));
    this.finish();
  }

  /** Why its end is not told here; null: it is. */
  get loss(): unknown {
    return this.isLost ? this.signal.reason : null;
  }

  /** Another instance has it, or will: whoever watches comes back and is told by that one. */
  lose(): void {
    if (this.#isFinished) return;
    this.isLost = true;
    this.stop(lost(this.turnId, this.sessionId));
    this.finish();
  }

  /** No event comes after this. */
  finish(): void {
    this.#isFinished = true;
    this.isWaiting = false;
    this.#log.close();
    this.#finished?.resolve();
    this.#wake();
  }

  /**
   * The events after number `after`, then those that follow, in batches of what there is; a snapshot first
   * where events are gone. Every watcher sees the same list. Ends after the last event, or when the signal aborts.
   * @param reach `there`: to end with what there is now, instead of following
   * @throws MochiError overloaded
   */
  watch(after: number, signal: AbortSignal, reach: WatchReach = 'end'): Watch {
    if (this.#watchers.length >= MAX_WATCHERS) {
      throw new MochiError('overloaded', `Turn ${this.turnId} has too many watchers.`, {
        turn_id: this.turnId,
      });
    }
    const end = reach === 'end' ? Number.POSITIVE_INFINITY : this.lastEventId;
    return new Watcher(this, { after, end, signal });
  }

  /** For those who watch. */
  read(seen: number): readonly ToldEvent[] {
    return this.#log.after(seen, this.#watchers.length > 1);
  }

  enter(watcher: Watcher): void {
    this.#watchers = this.#watchers.concat(watcher);
    this.#planLetGo();
  }

  leave(watcher: Watcher): void {
    this.#watchers = this.#watchers.filter((other) => other !== watcher);
    this.#planLetGo();
  }

  #planLetGo(): void {
    if (this.#letGo !== null) clearTimeout(this.#letGo);
    this.#letGo = null;
    if (!this.#isWaiting || this.#watchers.length > 0) return;
    this.#letGo = setTimeout(() => this.#log.letGo(), KEPT_WHILE_WAITING_MS).unref();
  }

  #wake(): void {
    for (const watcher of this.#watchers) watcher.wake();
  }
}

class Holding implements TurnHold {
  readonly #live: LiveTurn;
  readonly #policy: DisconnectPolicy;

  constructor(live: LiveTurn, policy: DisconnectPolicy) {
    this.#live = live;
    this.#policy = policy;
  }

  release(): void {
    this.#live.endHold(this.#policy === 'cancel');
  }

  end(): void {
    this.#live.endHold(false);
  }
}

function lost(turnId: string, sessionId: string): MochiError {
  return new MochiError('turn_interrupted', 'The turn goes on in another instance of the server.', {
    session_id: sessionId,
    turn_id: turnId,
    resumes: true,
  });
}
