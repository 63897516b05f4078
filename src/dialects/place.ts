// Which session a request belongs to, and where in it: to none, to one by its name, or to the one that its history goes
// on from.
import type { TurnRequest } from '../chat/turn-request.ts';
import type { WatchableTurn } from '../chat/watch/live-turn.ts';
import { invalidField } from '../contract/errors.ts';
import { requireSession, sessionNotFound } from '../sessions/require.ts';
import { findLongestMark } from '../store/history-marks.ts';
import { findNamedSession, listSession, type StoredSession } from '../store/sessions.ts';
import { createSessionFor } from './create-session-for.ts';
import type { Asked, DialectDeps } from './dialect.ts';
import { closeHistory, isWhole } from './history.ts';
import { inNewSession, unlessTakenBack } from './made-for-request.ts';
import { meantModel } from './models.ts';
import type { PlacingRequest } from './placing-request.ts';
import { takeModel } from './take-model.ts';
import { readWhole, toPlaced, type WholeHistory } from './to-placed.ts';

export interface PlacedTurn {
  readonly turn: WatchableTurn;
  readonly isStored: boolean;
}

/** Where a request goes: null: nowhere. */
interface Target {
  readonly session: StoredSession;
  /** It was made for the request. */
  readonly isNew: boolean;
  readonly after: NonNullable<TurnRequest['placed']>['after'];
  /** The history, where it was read to find the place. */
  readonly whole?: WholeHistory;
}

/** Names of sessions that are none. */
const PASSING = 'none';
const NEW = 'new';
const AUTO = 'auto';
const SESSION_ID = /^[0-9a-f]{10}$/;
const CLIENT_KEY = /^[A-Za-z0-9._:-]{1,128}$/;

/** Starts the turn of a request where it belongs. @throws MochiError for what is known before it begins */
export async function placeTurn(
  deps: DialectDeps,
  asked: Asked,
  request: PlacingRequest,
): Promise<PlacedTurn> {
  if (asked.joined !== null) return { turn: asked.joined, isStored: asked.joined.sessionId !== '' };
  const model = meantModel(deps, request.model);
  return unlessTakenBack(async () => {
    const target = await findTarget(deps, asked, { ...request, model });
    return target === null
      ? { turn: await pass(deps, { ...request, model }), isStored: false }
      : { turn: await start(deps, asked, { ...request, model }, target), isStored: true };
  });
}

function pass({ turns }: DialectDeps, { model, history, settings }: PlacingRequest): Promise<WatchableTurn> {
  const { system, messages } = history;
  return turns.pass({ ...settings, model, system, messages: closeHistory(messages) });
}

async function findTarget(deps: DialectDeps, asked: Asked, request: PlacingRequest): Promise<Target | null> {
  const { place } = request;
  const name = place === undefined ? asked.session : null;
  switch (place?.of) {
    case 'conversation':
      return goOn(deps, place.sessionId, 'head');
    case 'response':
      return goOnAfterTurn(deps, place.turnId);
    case 'item':
      return goOn(deps, place.sessionId, { messageId: place.messageId });
    case 'nothing':
      return recognise(deps, asked, request);
    default:
  }
  if (name === null || name === PASSING) return null;
  if (name === NEW) return begin(deps, request, {});
  if (name === AUTO) return recognise(deps, asked, request);
  const after = isWhole(request.history) ? 'nothing' : 'head';
  if (SESSION_ID.test(name)) return goOn(deps, name, after);
  if (!CLIENT_KEY.test(name)) {
    throw invalidField('/x-mochi-session', 'must be 1 to 128 of A-Z a-z 0-9 . _ : -');
  }
  const known = await findNamedSession(deps.db, name);
  return known === null ? begin(deps, request, { clientKey: name }) : goOn(deps, known, after);
}

async function goOn(deps: DialectDeps, sessionId: string, after: Target['after']): Promise<Target> {
  const session = await requireSession(deps.db, sessionId);
  // What an agent works in is the agent's.
  if (session.kind !== 'chat') throw sessionNotFound(sessionId);
  await listSession(deps.db, sessionId);
  return { session, isNew: false, after };
}

async function goOnAfterTurn(deps: DialectDeps, turnId: string): Promise<Target> {
  const { session_id: sessionId } = await deps.turns.describe(turnId);
  return goOn(deps, sessionId, { turnId });
}

/** The session that the history goes on from, else a new one that is in no list. */
async function recognise(deps: DialectDeps, asked: Asked, request: PlacingRequest): Promise<Target> {
  const whole = readWhole(asked, request.history);
  const mark = await findLongestMark(
    deps.db,
    whole.chain.answers.map(({ hash }) => hash),
  );
  const target =
    mark === null
      ? await begin(deps, request, { isListed: false })
      : await goOn(deps, mark.sessionId, 'nothing');
  return { ...target, whole };
}

async function begin(
  deps: DialectDeps,
  { model }: PlacingRequest,
  named: Parameters<typeof createSessionFor>[2],
): Promise<Target> {
  const { session, isNew } = await createSessionFor(deps, { model }, named);
  return { session, isNew, after: 'nothing' };
}

async function start(
  deps: DialectDeps,
  asked: Asked,
  request: PlacingRequest,
  target: Target,
): Promise<WatchableTurn> {
  const { session, isNew } = target;
  const sessionId = session.session_id;
  return inNewSession(deps, { sessionId, isNew }, async () => {
    if (!isNew) await takeModel(deps, session, request.model);
    const origin = { route: 'stream', idempotencyKey: asked.idempotencyKey } as const;
    return deps.turns.start(sessionId, toPlaced(asked, request, target), origin);
  });
}
