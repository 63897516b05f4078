// Turns in progress: accept one, run it when its turn has come, stop it, wait for all of them at the end.
import { setTimeout } from 'node:timers/promises';
import type { EngineModel } from '../contract/engine.ts';
import { MochiError } from '../contract/errors.ts';
import type { TurnEvent } from '../contract/turn-event.ts';
import { requireSession } from '../sessions/require.ts';
import type { QueuedMessage } from '../store/turns.ts';
import { acceptTurn } from './accept-turn.ts';
import { driveTurn, recallModel } from './drive-turn.ts';
import { LiveTurn } from './live-turn.ts';
import { checkFits } from './plan-prompt.ts';
import { checkFormat } from './structured-output.ts';
import type { TurnDeps } from './turn-deps.ts';
import { createTurnLines, type Place, type TurnLimits, type TurnLines } from './turn-lines.ts';
import type { TurnRequest } from './turn-request.ts';

/** Has a lifetime: from the start of the server to `close`. */
export class LiveTurns {
  readonly #deps: TurnDeps;
  readonly #lines: TurnLines;
  readonly #turns = new Map<string, { readonly live: LiveTurn; readonly finished: Promise<void> }>();
  #isClosing = false;

  constructor(deps: TurnDeps, limits: TurnLimits) {
    this.#deps = deps;
    this.#lines = createTurnLines(limits);
  }

  /**
   * Accepts a request: when this resolves, the user message and the turn are on disk.
   * @throws MochiError for what is known before: no such session, nothing to answer, too long, too busy
   */
  async start(sessionId: string, request: TurnRequest): Promise<LiveTurn> {
    const deps = this.#deps;
    if (this.#isClosing) throw interrupted();
    if (request.format !== null) checkFormat(request.format);
    const session = await requireSession(deps.db, sessionId);
    const model = await recallModel(deps, session.model);
    checkImages(request, model, session.model);
    if (request.message !== null) await checkFits(deps, { session, model, request });

    const turnId = `turn_${deps.newId(12)}`;
    const message = toQueuedMessage(deps, request);
    const place = this.#lines.enter(sessionId, turnId);
    try {
      const accepted = await acceptTurn(deps, { sessionId, turnId, request, message, place });
      const live = new LiveTurn(turnId, sessionId);
      live.append(openingEvents(live, accepted.userMessageId, place));
      const turn = { live, request, message, place, model, beginning: accepted.beginning };
      const finished = driveTurn(deps, turn).finally(() => this.#turns.delete(turnId));
      this.#turns.set(turnId, { live, finished });
      return live;
    } catch (error) {
      place.leave();
      throw error;
    }
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
      await this.#stopAll(ahead, cancelled());
      await place.ready;
      return await action();
    } finally {
      place.leave();
    }
  }

  /** Cancels a turn, wherever it stands; what came until then is kept. */
  stop(turn: LiveTurn): void {
    turn.stop(cancelled());
  }

  /** Lets turns finish for a while, then closes the rest as `interrupted`; refuses new ones at once. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    const running = Promise.all([...this.#turns.values()].map(({ finished }) => finished));
    await Promise.race([running, setTimeout(graceMs, undefined, { ref: false })]);
    await this.#stopAll([...this.#turns.keys()], interrupted());
  }

  async #stopAll(turnIds: readonly string[], reason: MochiError): Promise<void> {
    const entries = turnIds.flatMap((turnId) => this.#turns.get(turnId) ?? []);
    for (const { live } of entries) live.stop(reason);
    await Promise.all(entries.map(({ finished }) => finished));
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

function toQueuedMessage(deps: TurnDeps, request: TurnRequest): QueuedMessage | null {
  if (request.message === null) return null;
  return {
    messageId: deps.newId(10),
    content: request.message,
    timestamp: deps.now(),
    images: request.images,
  };
}

function checkImages(request: TurnRequest, model: EngineModel | null, name: string): void {
  if (request.images.length === 0 || model === null || model.capabilities.includes('vision')) return;
  throw new MochiError('images_not_supported', `The model ${name} does not accept images.`, { model: name });
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
  return new MochiError('turn_interrupted', 'The server is stopping; what came until now is kept.');
}
