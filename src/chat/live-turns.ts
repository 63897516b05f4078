// Turns in progress: accept one, run it when its turn has come, stop it, wait for all of them at the end.
import { setTimeout } from 'node:timers/promises';
import type { ChatPreview } from '../contract/chat.ts';
import type { MochiError } from '../contract/errors.ts';
import type { WrittenSummary } from '../contract/summary.ts';
import type { Turn } from '../contract/turn.ts';
import { timestampAfter } from '../kit/clock.ts';
import type { Clearing } from '../store/clearing.ts';
import { patientDb } from '../store/durable.ts';
import { listAgentChatIds } from '../store/list-sessions.ts';
import { type IdempotencyMark, listTurns } from '../store/turns.ts';
import { type AskedTurn, acceptTurn } from './accept-turn.ts';
import { createRunAgent } from './agent-calls.ts';
import { outwaitEnded, refuseElsewhere, refuseHolder } from './busy-session.ts';
import type { CallDeps } from './call-in-line.ts';
import { checkRequest } from './check-request.ts';
import { checkRun, type WantedRun } from './check-run.ts';
import { deleteStopped } from './delete-stopped.ts';
import { driveTurn } from './drive-turn.ts';
import { createEngineWork, type EngineWork } from './engine-work.ts';
import { enterLine } from './enter-line.ts';
import { beginOnce, toMark } from './idempotency.ts';
import { createIdempotentStarts } from './idempotent-starts.ts';
import { Intake, stopping } from './intake.ts';
import { leaveLine } from './leave-line.ts';
import { ClientWork } from './line/client-work.ts';
import type { Place, TurnLines } from './line/place.ts';
import { createTurnLines, type TurnLimits } from './line/turn-lines.ts';
import { type Hold, TurnSeat } from './line/turn-seat.ts';
import { openLive } from './open-live.ts';
import type { PassingRequest } from './passing-request.ts';
import { passTurn } from './passing-turn.ts';
import { previewTurn } from './preview-turn.ts';
import { startChat } from './start-chat.ts';
import { stopAll } from './stop-all.ts';
import { cancelled, deleted, interrupted, noActiveTurn } from './stop-reasons.ts';
import { summarizeSession } from './summarize-session.ts';
import { asItLives, describePassing, requireTurn } from './turn-as-it-lives.ts';
import type { TurnHouse } from './turn-house.ts';
import { type ChatRoute, type TurnRequest, toQueuedMessage } from './turn-request.ts';
import { TurnsElsewhere } from './turns-elsewhere.ts';
import { LiveTurn, type WatchableTurn } from './watch/live-turn.ts';
import type { OtherTurnDoors } from './watch/other-turns.ts';
import { createStoredTurns, type StoredTurns } from './watch/replay-turn.ts';
import { TurnRegistry } from './watch/turn-registry.ts';

/** Where a request came in, and how it names itself. */
export interface TurnOrigin {
  readonly route: ChatRoute;
  /** The client's idempotency key; null for a request that stands alone. */
  readonly idempotencyKey: string | null;
}

export interface LiveTurnDeps extends CallDeps {
  /** What another server tells of a turn that it drives. */
  readonly followElsewhere: OtherTurnDoors['follow'];
  /** Takes away what a deleted session leaves. */
  readonly clearing: Clearing;
}

/** Has a lifetime: from the start of the server to `close`. */
export class LiveTurns {
  readonly #deps: LiveTurnDeps;
  /** What its turns live in. */
  readonly house: TurnHouse;
  readonly intake = new Intake();
  readonly #lines: TurnLines;
  readonly #registry = new TurnRegistry();
  readonly #stored: StoredTurns;
  readonly #elsewhere: TurnsElsewhere;
  readonly #work: ClientWork;
  readonly engineWork: EngineWork;
  readonly #starts = createIdempotentStarts();

  constructor(deps: LiveTurnDeps, limits: TurnLimits) {
    this.#deps = deps;
    this.#lines = createTurnLines(limits);
    this.house = {
      // Turns that run go on while the database is away.
      deps: { ...deps, db: patientDb(deps.db) },
      lines: this.#lines,
      registry: this.#registry,
      seatAt: (place) => this.#seat(place, null),
      runAgent: (parent, call) => createRunAgent(this.house)(parent, call),
    };
    this.#stored = createStoredTurns(deps.db);
    this.#elsewhere = new TurnsElsewhere(deps, this.#stored);
    this.#work = new ClientWork(deps, this.#lines);
    this.engineWork = createEngineWork(deps, this.#work);
  }

  /** Another number whenever a turn tells something. */
  readonly progress = (): number => this.#registry.progress;

  /**
   * Accepts a request: when this resolves, the user message and the turn are on disk. A request that repeats
   * the key of an earlier one joins its turn.
   * @throws MochiError for what is known before: no such session, nothing to answer, too long, too busy
   */
  async start(sessionId: string, request: TurnRequest, origin: TurnOrigin): Promise<WatchableTurn> {
    const { idempotencyKey, route } = origin;
    const check = async () => {
      const checked = await checkRequest(this.#deps, sessionId, request);
      return { ...checked, newestTurnAt: checked.session.newestTurnAt, run: null };
    };
    const mark = idempotencyKey === null ? null : toMark(idempotencyKey, route, request);
    return this.#acceptOnce({ sessionId, request, check }, sessionId, mark);
  }

  /**
   * As `start`, for an agent that a client talks to itself: in a new chat, or in one that the agent has worked in.
   * @throws MochiError for what is known before: no such chat, no model, too long, too busy
   */
  async startRun(wanted: WantedRun, origin: TurnOrigin): Promise<WatchableTurn> {
    const { idempotencyKey, route } = origin;
    const { agent, chat, model, request } = wanted;
    const known = chat?.session_id ?? null;
    const sessionId = known ?? this.#deps.newId(10);
    const asked = { sessionId, request, check: () => checkRun(this.#deps, wanted) };
    const asking = { name: agent.name, model, isNew: known === null };
    const mark = idempotencyKey === null ? null : toMark(idempotencyKey, route, request, asking);
    return this.#acceptOnce(asked, known, mark);
  }

  /** As `start`, stored nowhere: what the model sees comes with the request. @throws MochiError what `passTurn` throws */
  async pass(request: PassingRequest): Promise<WatchableTurn> {
    return this.#holding((hold) => passTurn(this.house, request, hold));
  }

  /** What `start` would send to the engine, without sending or storing anything. @throws what `start` throws */
  async preview(sessionId: string, request: TurnRequest): Promise<ChatPreview> {
    return previewTurn(this.#deps, sessionId, request);
  }

  /** A turn by its id, living or from its rows. @throws MochiError turn_not_found */
  async open(turnId: string): Promise<WatchableTurn> {
    const live = this.#registry.find(turnId);
    if (live !== null && (!live.isFinished || live.isPassing)) return live;
    // Another server may have deleted it.
    const turn = await this.describe(turnId);
    return live ?? (await this.#elsewhere.open(turn)) ?? this.#stored.open(turn);
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
    if (turn === null) await this.#elsewhere.stop([turnId], { reason: 'cancelled', isToWait });
    if (isToWait) await turn?.finished;
    return turn?.isPassing ? describePassing(turn) : this.describe(turnId);
  }

  /** The turn that holds a session. @throws MochiError no_active_turn */
  async holderOf(sessionId: string): Promise<string> {
    const [holder] = this.#lines.turnsOf(sessionId);
    const id = holder ?? (await this.#elsewhere.holderOf(sessionId))?.id;
    if (id !== undefined) return id;
    throw noActiveTurn(sessionId);
  }

  /**
   * Runs a change that must not meet a turn of the session; turns that arrive meanwhile wait for it.
   * @throws MochiError session_busy when the session is answering
   */
  async change<T>(sessionId: string, action: () => Promise<T>): Promise<T> {
    await refuseElsewhere(this.#elsewhere, sessionId);
    await outwaitEnded(this.house, sessionId);
    refuseHolder(this.house, sessionId);
    return this.#stopAll([sessionId], cancelled, action);
  }

  #stopAll<T>(
    sessionIds: readonly string[],
    reasonFor: (sessionId: string) => MochiError,
    action: () => Promise<T>,
  ): Promise<T> {
    return stopAll(sessionIds, { ...this.house, elsewhere: this.#elsewhere, reasonFor }, action);
  }

  /**
   * Writes the summary of a session now, as a client's wish: it takes a slot and waits for one like a turn.
   * @param modelName who is to write it; null: as for summaries in the background
   * @throws MochiError session_not_found, empty_history, model_unusable, no_summary_model, overloaded; engine's faults
   */
  async summarize(sessionId: string, modelName: string | null): Promise<WrittenSummary> {
    this.intake.refuse();
    return summarizeSession(this.#deps, this.#work, { sessionId, modelName });
  }

  /** Stops the turns of a session, and deletes it with all that memory and agents have of it. @returns whether it was there */
  async delete(sessionId: string): Promise<boolean> {
    const parts = { ...this.house, deps: this.#deps, work: this.#work, clearing: this.#deps.clearing };
    return this.#stopAll([sessionId], deleted, async () => {
      const chats = await listAgentChatIds(this.#deps.db, sessionId);
      return this.#stopAll(chats, deleted, () => deleteStopped(parts, sessionId, chats));
    });
  }

  /** Lets turns finish for a while, then closes all but what waits for a person as `interrupted`; refuses new ones. */
  async close(graceMs: number): Promise<void> {
    this.intake.close(stopping());
    this.#deps.closing.abort();
    await leaveLine(this.#deps.db, this.#registry);
    await Promise.race([this.#allEnded(), setTimeout(graceMs, undefined, { ref: false })]);
    for (const live of this.#registry.running) live.stop(interrupted());
    this.#work.stop(interrupted());
    await this.#allEnded();
    this.#registry.clear();
  }

  /** @param scope of its key: a session; null: the chats that are made for agents */
  async #acceptOnce(
    asked: AskedTurn,
    scope: string | null,
    mark: IdempotencyMark | null,
  ): Promise<WatchableTurn> {
    if (mark === null) return this.#accept(asked, null);
    const doors = { begin: () => this.#accept(asked, mark), join: (turnId: string) => this.open(turnId) };
    return this.#starts.once(scope ?? '', mark, () => beginOnce(this.#deps.db, { scope, mark }, doors));
  }

  /** From here to the end of the turn the engine is its own. */
  #accept(asked: AskedTurn, idempotency: IdempotencyMark | null): Promise<WatchableTurn> {
    return this.#holding((hold) => this.#acceptTurn(asked, { idempotency, hold }));
  }

  async #holding(accept: (hold: Hold) => Promise<WatchableTurn>): Promise<WatchableTurn> {
    this.intake.refuse();
    const hold = this.#deps.background.hold();
    try {
      return await accept(hold);
    } catch (error) {
      hold.release();
      throw error;
    }
  }

  async #acceptTurn(
    { sessionId, request: given, check }: AskedTurn,
    { idempotency, hold }: { readonly idempotency: IdempotencyMark | null; readonly hold: Hold },
  ): Promise<WatchableTurn> {
    const deps = this.#deps;
    const { model, run, newestTurnAt, request = given, seen = null } = await check();
    if (request.onBusy === 'reject') await outwaitEnded(this.house, sessionId);
    // The server may have begun to stop while this was being looked at.
    this.intake.refuse();
    const createdAt = timestampAfter(newestTurnAt, deps.now());
    const live = new LiveTurn({ turnId: `turn_${deps.newId(12)}`, sessionId, createdAt });
    const message = toQueuedMessage(deps, request);
    const place = enterLine(this.house, live, request.onBusy);
    const seat = this.#seat(place, hold);
    const living = () => this.#lines.turnsOf(sessionId);
    const asked = { live, createdAt, request, message, place, living, idempotency, run, seen };
    const accepted = acceptTurn(deps, asked);
    live.opened = openLive(asked, accepted);
    // In the registry from now on, so that whoever stops a session or the server finds it.
    const finished = accepted.then(
      ({ beginning }) => {
        const started = { live, request, message, place, seat, model, beginning, run };
        const begin = () => startChat(this.house, started);
        return driveTurn(this.house.deps, { live, message, place, begun: begin() });
      },
      () => {
        live.finish();
        place.leave();
      },
    );
    this.#registry.add(live, finished, seat);
    await live.opened;
    return live;
  }

  #seat(place: Place, hold: Hold | null): TurnSeat {
    const { background, closing } = this.#deps;
    return new TurnSeat({ place, hold, background, closing: closing.signal });
  }

  async #allEnded(): Promise<void> {
    await this.#work.ended();
    await Promise.all(this.#registry.running.map(({ turnId }) => this.#registry.ended(turnId)));
  }
}
