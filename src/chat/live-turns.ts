// Turns in progress: accept one, run it when its turn has come, stop it, wait for all of them at the end.
import { setTimeout } from 'node:timers/promises';
import type { BusyPolicy, ChatPreview } from '../contract/chat.ts';
import { MochiError } from '../contract/errors.ts';
import type { WrittenSummary } from '../contract/summary.ts';
import type { Turn } from '../contract/turn.ts';
import type { TurnEvent } from '../contract/turn-event.ts';
import { timestampAfter } from '../kit/clock.ts';
import { deleteSession } from '../store/clear-session.ts';
import type { Clearing } from '../store/clearing.ts';
import { findNewestTurnInstant } from '../store/newest-turn.ts';
import { findTurn, type IdempotencyMark, listTurns } from '../store/turns.ts';
import { acceptTurn } from './accept-turn.ts';
import type { CallDeps } from './call-in-line.ts';
import { checkRequest } from './check-request.ts';
import { driveTurn } from './drive-turn.ts';
import { findEarlierTurn, toMark } from './idempotency.ts';
import { ClientWork } from './line/client-work.ts';
import { createTurnLines, type Place, type TurnLimits, type TurnLines } from './line/turn-lines.ts';
import { previewTurn } from './preview-turn.ts';
import { summarizeSession } from './summarize-session.ts';
import { type TurnRequest, toQueuedMessage } from './turn-request.ts';
import { LiveTurn, type WatchableTurn } from './watch/live-turn.ts';
import { createStoredTurns, type StoredTurns } from './watch/replay-turn.ts';
import { TurnRegistry } from './watch/turn-registry.ts';

/** Where a request came in, and how it names itself. */
export interface TurnOrigin {
  readonly route: string;
  /** The client's idempotency key; null for a request that stands alone. */
  readonly idempotencyKey: string | null;
}

export interface LiveTurnDeps extends CallDeps {
  /** Takes away what a deleted session leaves. */
  readonly clearing: Clearing;
}

/** Has a lifetime: from the start of the server to `close`. */
export class LiveTurns {
  readonly #deps: LiveTurnDeps;
  readonly #lines: TurnLines;
  readonly #registry = new TurnRegistry();
  readonly #stored: StoredTurns;
  readonly #work: ClientWork;
  /** Requests with a key that are being accepted: a repetition at the same instant waits for the first. */
  readonly #accepting = new Map<string, Promise<WatchableTurn>>();
  #isClosing = false;

  constructor(deps: LiveTurnDeps, limits: TurnLimits) {
    this.#deps = deps;
    this.#lines = createTurnLines(limits);
    this.#stored = createStoredTurns(deps.db);
    this.#work = new ClientWork(deps, this.#lines);
  }

  /**
   * Accepts a request: when this resolves, the user message and the turn are on disk. A request that repeats
   * the key of an earlier one joins its turn.
   * @throws MochiError for what is known before: no such session, nothing to answer, too long, too busy
   */
  async start(sessionId: string, request: TurnRequest, origin: TurnOrigin): Promise<WatchableTurn> {
    const { idempotencyKey, route } = origin;
    if (idempotencyKey === null) return this.#accept(sessionId, request, null);
    const mark = toMark(idempotencyKey, route, request);
    const name = JSON.stringify([sessionId, mark.key]);
    // One after the other: whoever waited looks again, since the first may have been refused.
    for (let first = this.#accepting.get(name); first; first = this.#accepting.get(name)) {
      await first.catch(() => undefined);
    }
    const accepting = this.#joinOrAccept(sessionId, request, mark);
    this.#accepting.set(name, accepting);
    return accepting.finally(() => this.#accepting.delete(name));
  }

  /** What `start` would send to the engine, without sending or storing anything. @throws what `start` throws */
  async preview(sessionId: string, request: TurnRequest): Promise<ChatPreview> {
    return previewTurn(this.#deps, sessionId, request);
  }

  /** A turn by its id, living or from its rows. @throws MochiError turn_not_found */
  async open(turnId: string): Promise<WatchableTurn> {
    return this.#registry.find(turnId) ?? this.#stored.open(await this.describe(turnId));
  }

  /** The turn as it stands. @throws MochiError turn_not_found */
  async describe(turnId: string): Promise<Turn> {
    const turn = await findTurn(this.#deps.db, turnId);
    if (turn === null)
      throw new MochiError('turn_not_found', `Turn ${turnId} not found`, { turn_id: turnId });
    return this.#asItLives(turn);
  }

  /** The turns of a session as they stand, the newest first. */
  async list(sessionId: string, page: Parameters<typeof listTurns>[2]): Promise<Turn[]> {
    const turns = await listTurns(this.#deps.db, sessionId, page);
    return turns.map((turn) => this.#asItLives(turn));
  }

  #asItLives(turn: Turn): Turn {
    const live = this.#registry.find(turn.turn_id);
    if (live === null || turn.finished_at !== null) return turn;
    const { messageId, lastEventId, receipt } = live;
    return { ...turn, message_id: messageId, last_event_id: lastEventId, context: receipt };
  }

  /**
   * Cancels a turn in whatever state it is; what came until then is kept. Idempotent.
   * @returns the turn as it stands then. @throws MochiError turn_not_found
   */
  async cancel(turnId: string, isToWait: boolean): Promise<Turn> {
    const turn = this.#registry.find(turnId);
    turn?.stop(cancelled());
    if (isToWait) await turn?.finished;
    return this.describe(turnId);
  }

  /** The turn that holds a session. @throws MochiError no_active_turn */
  holderOf(sessionId: string): string {
    const [holder] = this.#lines.turnsOf(sessionId);
    if (holder !== undefined) return holder;
    throw new MochiError(
      'no_active_turn',
      `Session ${sessionId} is not answering: there is nothing to cancel.`,
      {
        session_id: sessionId,
      },
    );
  }

  /**
   * Runs a change that must not meet a turn of the session; turns that arrive meanwhile wait for it.
   * @throws MochiError session_busy when the session is answering and `ifBusy` is `refuse`
   */
  async change<T>(sessionId: string, ifBusy: 'refuse' | 'stop', action: () => Promise<T>): Promise<T> {
    const ahead = this.#lines.turnsOf(sessionId);
    const [holder] = ahead;
    if (holder !== undefined && ifBusy === 'refuse') throw busy(sessionId, holder);
    const place = this.#lines.enterChange(sessionId);
    try {
      for (const turnId of ahead) this.#registry.find(turnId)?.stop(cancelled());
      await place.ready;
      return await action();
    } finally {
      place.leave();
    }
  }

  /**
   * Writes the summary of a session now, as a client's wish: it takes a slot and waits for one like a turn.
   * @param modelName who is to write it; null: as for summaries in the background
   * @throws MochiError session_not_found, empty_history, model_unusable, no_summary_model, overloaded; what the
   * engine throws
   */
  async summarize(sessionId: string, modelName: string | null): Promise<WrittenSummary> {
    if (this.#isClosing) throw interrupted();
    return summarizeSession(this.#deps, this.#work, { sessionId, modelName });
  }

  /** Stops the turns of a session and deletes it, with what memory has of them. @returns whether it was there */
  async delete(sessionId: string): Promise<boolean> {
    return this.change(sessionId, 'stop', async () => {
      const { db, clearing } = this.#deps;
      const outcome = await db
        .transaction()
        .execute((transaction) => deleteSession(transaction, sessionId, Date.now()));
      if (outcome === 'hidden') clearing.wake();
      this.#registry.forgetSession(sessionId);
      this.#work.stop(cancelled(), sessionId);
      this.#deps.background.stopSession(sessionId);
      return outcome !== 'absent';
    });
  }

  /** Lets turns finish for a while, then closes the rest as `interrupted`; refuses new ones at once. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    await Promise.race([this.#allEnded(), setTimeout(graceMs, undefined, { ref: false })]);
    for (const live of this.#registry.running) live.stop(interrupted());
    this.#work.stop(interrupted());
    await this.#allEnded();
    this.#registry.clear();
  }

  async #joinOrAccept(
    sessionId: string,
    request: TurnRequest,
    mark: IdempotencyMark,
  ): Promise<WatchableTurn> {
    const earlier = await findEarlierTurn(this.#deps.db, sessionId, mark);
    return earlier === null ? this.#accept(sessionId, request, mark) : this.open(earlier);
  }

  /** From here to the end of the turn the engine is its own. */
  async #accept(
    sessionId: string,
    request: TurnRequest,
    idempotency: IdempotencyMark | null,
  ): Promise<WatchableTurn> {
    const hold = this.#deps.background.hold();
    try {
      const live = await this.#acceptTurn(sessionId, request, idempotency);
      void this.#registry.ended(live.turnId).then(hold.release);
      return live;
    } catch (error) {
      hold.release();
      throw error;
    }
  }

  async #acceptTurn(
    sessionId: string,
    request: TurnRequest,
    idempotency: IdempotencyMark | null,
  ): Promise<WatchableTurn> {
    const deps = this.#deps;
    if (this.#isClosing) throw interrupted();
    const { model } = await checkRequest(deps, sessionId, request);
    const newest = await findNewestTurnInstant(deps.db, sessionId);
    // The server may have begun to stop while this was being looked at.
    if (this.#isClosing) throw interrupted();
    const createdAt = timestampAfter(newest, deps.now());
    const live = new LiveTurn({ turnId: `turn_${deps.newId(12)}`, sessionId, createdAt });
    const message = toQueuedMessage(deps, request);
    const place = this.#enter(live, request.onBusy);
    const living = this.#lines.turnsOf(sessionId);
    const accepted = acceptTurn(deps, { live, createdAt, request, message, place, living, idempotency });
    // In the registry from now on, so that whoever stops a session or the server finds it.
    const finished = accepted.then(
      ({ beginning, userMessageId }) => {
        live.append(openingEvents(live, userMessageId, place));
        return driveTurn(deps, { live, request, message, place, model, beginning });
      },
      () => {
        live.finish();
        place.leave();
      },
    );
    this.#registry.add(live, finished);
    await accepted;
    return live;
  }

  /** @throws MochiError session_busy, overloaded */
  #enter(live: LiveTurn, onBusy: BusyPolicy): Place {
    const { sessionId, turnId } = live;
    const [holder] = this.#lines.turnsOf(sessionId);
    if (holder !== undefined && onBusy === 'reject') throw busy(sessionId, holder);
    const place = this.#lines.enter(sessionId, turnId, {
      atFront: onBusy === 'interrupt',
      onMove: (position) => {
        // Nothing before `turn_start`, and nothing once the turn is closing.
        if (live.lastEventId === 0 || live.signal.aborted) return;
        live.append([{ event: 'status', data: { phase: 'queued', position } }]);
      },
    });
    if (holder !== undefined && onBusy === 'interrupt') this.#registry.find(holder)?.stop(cancelled());
    return place;
  }

  async #allEnded(): Promise<void> {
    await this.#work.ended();
    await Promise.all(this.#registry.running.map(({ turnId }) => this.#registry.ended(turnId)));
  }
}

function openingEvents(live: LiveTurn, userMessageId: string | null, place: Place): TurnEvent[] {
  const { turnId, sessionId } = live;
  const events: TurnEvent[] = [
    {
      event: 'turn_start',
      data: { turn_id: turnId, session_id: sessionId, user_message_id: userMessageId },
    },
  ];
  if (!place.isReady) {
    events.push({ event: 'status', data: { phase: 'queued', position: place.position } });
  }
  return events;
}

function busy(sessionId: string, turnId: string): MochiError {
  return new MochiError(
    'session_busy',
    `Session ${sessionId} is answering. Wait for its turn to end, or cancel it, then try again.`,
    { session_id: sessionId, turn_id: turnId },
  );
}

function cancelled(): MochiError {
  return new MochiError('turn_cancelled', 'The turn was cancelled; what came until then is kept.');
}

function interrupted(): MochiError {
  return new MochiError(
    'turn_interrupted',
    'The server is stopping; what came until now is kept. Send message: null when it is back.',
  );
}
