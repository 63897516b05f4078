// Turns in progress: accept one, run it when its turn has come, stop it, wait for all of them at the end.
import { setTimeout } from 'node:timers/promises';
import type { ChatPreview } from '../contract/chat.ts';
import type { WrittenSummary } from '../contract/summary.ts';
import type { Turn } from '../contract/turn.ts';
import { timestampAfter } from '../kit/clock.ts';
import { deleteSession } from '../store/clear-session.ts';
import type { Clearing } from '../store/clearing.ts';
import { listAgentChatIds } from '../store/list-sessions.ts';
import { findNewestTurnInstant } from '../store/newest-turn.ts';
import { type IdempotencyMark, listTurns } from '../store/turns.ts';
import { acceptTurn } from './accept-turn.ts';
import type { CallDeps } from './call-in-line.ts';
import { checkRequest } from './check-request.ts';
import { driveTurn } from './drive-turn.ts';
import { enterLine } from './enter-line.ts';
import { findEarlierTurn, toMark } from './idempotency.ts';
import { ClientWork } from './line/client-work.ts';
import { createTurnLines, type Place, type TurnLimits, type TurnLines } from './line/turn-lines.ts';
import { type Hold, TurnSeat } from './line/turn-seat.ts';
import { openingEvents } from './opening-events.ts';
import { previewTurn } from './preview-turn.ts';
import { startTurn } from './start-turn.ts';
import { busy, cancelled, interrupted, noActiveTurn } from './stop-reasons.ts';
import { summarizeSession } from './summarize-session.ts';
import { takeUpTurns } from './take-up-turns.ts';
import { asItLives, requireTurn } from './turn-as-it-lives.ts';
import { type ChatRoute, type TurnRequest, toQueuedMessage } from './turn-request.ts';
import { LiveTurn, type WatchableTurn } from './watch/live-turn.ts';
import { createStoredTurns, type StoredTurns } from './watch/replay-turn.ts';
import { TurnRegistry } from './watch/turn-registry.ts';

/** Where a request came in, and how it names itself. */
export interface TurnOrigin {
  readonly route: ChatRoute;
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
  /** Aborted when the server stops. */
  readonly #closing = new AbortController();

  constructor(deps: LiveTurnDeps, limits: TurnLimits) {
    this.#deps = deps;
    this.#lines = createTurnLines(limits);
    this.#stored = createStoredTurns(deps.db);
    this.#work = new ClientWork(deps, this.#lines);
  }

  /** Before the port opens: turns of earlier runs of the server that wait for a person wait on. */
  async takeUp(): Promise<number> {
    return takeUpTurns({
      deps: this.#deps,
      lines: this.#lines,
      registry: this.#registry,
      seatAt: (place) => this.#seat(place, null),
    });
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
  describe(turnId: string): Promise<Turn> {
    return requireTurn(this.#deps.db, this.#registry, turnId);
  }

  /** The turns of a session as they stand, the newest first. */
  async list(sessionId: string, page: Parameters<typeof listTurns>[2]): Promise<Turn[]> {
    const turns = await listTurns(this.#deps.db, sessionId, page);
    return turns.map((turn) => asItLives(this.#registry, turn));
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
    if (holder === undefined) throw noActiveTurn(sessionId);
    return holder;
  }

  /**
   * Runs a change that must not meet a turn of the session; turns that arrive meanwhile wait for it.
   * @throws MochiError session_busy when the session is answering
   */
  async change<T>(sessionId: string, action: () => Promise<T>): Promise<T> {
    const [holder] = this.#lines.turnsOf(sessionId);
    if (holder !== undefined) throw busy(sessionId, holder);
    return this.#stopAll([sessionId], action);
  }

  /** Stops the turns of sessions, and runs what must not meet any. */
  async #stopAll<T>(sessionIds: readonly string[], action: () => Promise<T>): Promise<T> {
    const ahead = sessionIds.flatMap((sessionId) => this.#lines.turnsOf(sessionId));
    const places = sessionIds.map((sessionId) => this.#lines.enterChange(sessionId));
    try {
      for (const turnId of ahead) this.#registry.find(turnId)?.stop(cancelled());
      await Promise.all(places.map(({ ready }) => ready));
      return await action();
    } finally {
      for (const place of places) place.leave();
    }
  }

  /**
   * Writes the summary of a session now, as a client's wish: it takes a slot and waits for one like a turn.
   * @param modelName who is to write it; null: as for summaries in the background
   * @throws MochiError session_not_found, empty_history, model_unusable, no_summary_model, overloaded; what the
   * engine throws
   */
  async summarize(sessionId: string, modelName: string | null): Promise<WrittenSummary> {
    this.#refuseWhenClosing();
    return summarizeSession(this.#deps, this.#work, { sessionId, modelName });
  }

  /**
   * Stops the turns of a session and deletes it, with what memory has of them, and with its agent chats.
   * @returns whether it was there
   */
  async delete(sessionId: string): Promise<boolean> {
    return this.#stopAll([sessionId], async () => {
      const chats = await listAgentChatIds(this.#deps.db, sessionId);
      return this.#stopAll(chats, () => this.#deleteStopped(sessionId, chats));
    });
  }

  async #deleteStopped(sessionId: string, chats: readonly string[]): Promise<boolean> {
    const { db, clearing, background } = this.#deps;
    const outcome = await db
      .transaction()
      .execute((transaction) => deleteSession(transaction, sessionId, Date.now()));
    if (outcome === 'hidden') clearing.wake();
    for (const id of [sessionId, ...chats]) this.#registry.forgetSession(id);
    this.#work.stop(cancelled(), sessionId);
    background.stopSession(sessionId);
    return outcome !== 'absent';
  }

  /**
   * Lets turns finish for a while, then closes the rest as `interrupted`; refuses new ones at once. What waits for a
   * person is left as it is.
   */
  async close(graceMs: number): Promise<void> {
    this.#closing.abort();
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
      return await this.#acceptTurn(sessionId, request, { idempotency, hold });
    } catch (error) {
      hold.release();
      throw error;
    }
  }

  async #acceptTurn(
    sessionId: string,
    given: TurnRequest,
    { idempotency, hold }: { readonly idempotency: IdempotencyMark | null; readonly hold: Hold },
  ): Promise<WatchableTurn> {
    const deps = this.#deps;
    this.#refuseWhenClosing();
    const { model, request } = await checkRequest(deps, sessionId, given);
    const newest = await findNewestTurnInstant(deps.db, sessionId);
    // The server may have begun to stop while this was being looked at.
    this.#refuseWhenClosing();
    const createdAt = timestampAfter(newest, deps.now());
    const live = new LiveTurn({ turnId: `turn_${deps.newId(12)}`, sessionId, createdAt });
    const message = toQueuedMessage(deps, request);
    const place = enterLine({ lines: this.#lines, registry: this.#registry }, live, request.onBusy);
    const seat = this.#seat(place, hold);
    const living = this.#lines.turnsOf(sessionId);
    const accepted = acceptTurn(deps, { live, createdAt, request, message, place, living, idempotency });
    // In the registry from now on, so that whoever stops a session or the server finds it.
    const finished = accepted.then(
      ({ beginning, userMessageId }) => {
        live.append(openingEvents(live, userMessageId, place));
        const started = { live, request, message, place, seat, model, beginning };
        return driveTurn(deps, { live, message, place, begin: () => startTurn(deps, started) });
      },
      () => {
        live.finish();
        place.leave();
      },
    );
    this.#registry.add(
      live,
      finished.then(() => seat.release()),
    );
    await accepted;
    return live;
  }

  #seat(place: Place, hold: Hold | null): TurnSeat {
    const { background } = this.#deps;
    return new TurnSeat({ place, hold, background, closing: this.#closing.signal });
  }

  #refuseWhenClosing(): void {
    if (this.#closing.signal.aborted) throw interrupted();
  }

  async #allEnded(): Promise<void> {
    await this.#work.ended();
    await Promise.all(this.#registry.running.map(({ turnId }) => this.#registry.ended(turnId)));
  }
}
