// Turns that another server on the database drives, watched here: told by that one, through one connection for all who
// watch here; from their rows where it cannot be reached.
import type { DisconnectPolicy } from '../../contract/chat.ts';
import type { Turn } from '../../contract/turn.ts';
import type { TurnSnapshot } from '../../contract/turn-snapshot.ts';
import type { FoldedTurn } from './fold-turn.ts';
import { LiveTurn, type TurnHold, type WatchableTurn } from './live-turn.ts';
import { followRows, type RowReader } from './rows-of-turn.ts';
import type { ToldEvent } from './turn-log.ts';

export interface OtherTurnDoors extends RowReader {
  /** All that its driver has told and tells. @throws where nobody drives it elsewhere, or that one cannot be reached */
  follow(turnId: string, signal: AbortSignal): AsyncIterable<readonly ToldEvent[]>;
  /** Asks whoever drives it. */
  cancel(turnId: string): Promise<void>;
}

/** How long nobody has to watch before its driver is not asked any more. */
const IDLE_MS = 5000;

/** Has a lifetime: that of the server. */
export class OtherTurns {
  readonly #doors: OtherTurnDoors;
  readonly #mirrors = new Map<string, Promise<WatchableTurn>>();

  constructor(doors: OtherTurnDoors) {
    this.#doors = doors;
  }

  /** @param turn without an end, and not driven here */
  open(turn: Turn): Promise<WatchableTurn> {
    const { turn_id: turnId } = turn;
    let mirror = this.#mirrors.get(turnId);
    if (mirror === undefined) {
      mirror = this.#mirror(turn);
      this.#mirrors.set(turnId, mirror);
      void mirror.catch(() => this.#mirrors.delete(turnId));
    }
    return mirror;
  }

  async #mirror(turn: Turn): Promise<WatchableTurn> {
    const { turn_id: turnId } = turn;
    const left = new AbortController();
    const batches = this.#doors.follow(turnId, left.signal)[Symbol.asyncIterator]();
    let first: readonly ToldEvent[] | null;
    try {
      first = (await batches.next()).value ?? null;
    } catch {
      first = null;
    }
    if (first === null) {
      this.#mirrors.delete(turnId);
      return this.#asHeld(followRows(this.#doors, turn));
    }
    const live = openMirror(turn, first);
    void this.#keepUp({ live, batches, left });
    return this.#asHeld(live);
  }

  async #keepUp({
    live,
    batches,
    left,
  }: {
    readonly live: LiveTurn;
    readonly batches: AsyncIterator<readonly ToldEvent[]>;
    readonly left: AbortController;
  }): Promise<void> {
    let wasIdle = false;
    const idle = setInterval(() => {
      if (live.watcherCount === 0 && wasIdle) left.abort();
      wasIdle = live.watcherCount === 0;
    }, IDLE_MS).unref();
    try {
      while (!hasEnded(live)) {
        const { done, value: batch } = await batches.next();
        // What is about that connection alone, and what does not follow, is told by whoever has the turn then.
        if (done || batch.some(({ id }, index) => id !== live.lastEventId + 1 + index)) break;
        live.append(batch.map(({ event }) => event));
      }
    } catch {
      // Gone, or nobody watches any more.
    } finally {
      clearInterval(idle);
      left.abort();
      this.#mirrors.delete(live.turnId);
      if (hasEnded(live)) live.finish();
      else live.lose();
      await batches.return?.();
    }
  }

  /** Whoever asked for the turn and leaves may want it cancelled. */
  #asHeld(turn: WatchableTurn): WatchableTurn {
    return new Proxy(turn, {
      get: (target, name) => {
        if (name === 'hold') return (policy: DisconnectPolicy) => this.#hold(target, policy);
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  #hold({ turnId }: WatchableTurn, policy: DisconnectPolicy): TurnHold {
    return {
      release: () => {
        if (policy === 'cancel') void this.#doors.cancel(turnId).catch(() => undefined);
      },
      end: () => undefined,
    };
  }
}

/** From a snapshot, or from its beginning. */
function openMirror(turn: Turn, batch: readonly ToldEvent[]): LiveTurn {
  const { turn_id: turnId, session_id: sessionId, created_at: createdAt } = turn;
  const [first, ...others] = batch;
  if (first === undefined || first.id === null || first.event.event !== 'snapshot') {
    const live = new LiveTurn({ turnId, sessionId, createdAt });
    live.append(batch.map(({ event }) => event));
    return live;
  }
  const start = { lastEventId: first.id, fold: foldOf(first.event.data) };
  const live = new LiveTurn({ turnId, sessionId, createdAt, start });
  live.append(others.map(({ event }) => event));
  return live;
}

function foldOf({ turn, message, tool_calls: toolCalls, approvals }: TurnSnapshot): FoldedTurn {
  const { session_id: sessionId, state, error, context } = turn;
  return {
    sessionId,
    state,
    userMessageId: null,
    error,
    context,
    message: message && { ...message },
    toolCalls: [...toolCalls],
    approvals,
    awaited: approvals[0]?.confirmation_id ?? null,
  };
}

/** Its last event is its end. */
function hasEnded(live: LiveTurn): boolean {
  return !['queued', 'running', 'waiting'].includes(live.state);
}
