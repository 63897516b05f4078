// A repeated request joins the turn that the first one started, also after a restart.
import { createHash } from 'node:crypto';
import { MochiError } from '../contract/errors.ts';
import { timestampBefore } from '../kit/clock.ts';
import type { Db } from '../store/database.ts';
import { findIdempotentTurn, lockKey } from '../store/idempotent-turns.ts';
import { instanceOf } from '../store/tenure.ts';
import type { IdempotencyMark } from '../store/turns.ts';
import { USUAL_WISHES } from './answer-wishes.ts';
import { type ChatRoute, type TurnRequest, USUAL_APPROVAL } from './turn-request.ts';

/** How long a key stands for its turn (API.md §4). */
const KEPT_HOURS = 24;

/** What else a client says that talks to an agent itself. */
interface AskedAgent {
  readonly name: string;
  readonly model: string | null;
  /** Its chat is made for it, so that a key stands for one request to the agent. */
  readonly isNew: boolean;
}

/**
 * @param route a key is per session and route
 * @param request what the turn is: `on_disconnect` is about a connection and no part of it
 * @param agent null: a chat
 */
export function toMark(
  key: string,
  route: ChatRoute,
  request: TurnRequest,
  agent: AskedAgent | null = null,
): IdempotencyMark {
  const hash = createHash('sha256')
    .update(JSON.stringify([route, asHashed(route, request), ...(agent === null ? [] : [agent])]))
    .digest('hex');
  return { key: `${agent?.isNew ? `agent ${agent.name} ` : ''}${route} ${key}`, hash };
}

/** A key holds over an update of the server: what has its default is as it was before there was a choice. */
function asHashed(route: ChatRoute, request: TurnRequest): object {
  // In this order, as it ever was: the text is what is hashed.
  const { message, mode, think, options, format, images, toolSettings, onBusy } = request;
  const usual = { ...USUAL_WISHES, onApproval: USUAL_APPROVAL[route], replaces: null, agentSettings: null };
  const later = {
    onApproval: request.onApproval,
    replaces: request.replaces,
    clientTools: request.clientTools,
    toolResults: request.toolResults,
    placed: request.placed,
    system: request.system,
    agentSettings: request.agentSettings,
    toolChoice: request.toolChoice,
    isParallel: request.isParallel,
    windowAtLeast: request.windowAtLeast,
    keepAlive: request.keepAlive,
  };
  const isSaid = ([name, value]: [string, unknown]) =>
    Array.isArray(value) ? value.length > 0 : value !== Object(usual)[name];
  return {
    message,
    mode,
    think,
    options,
    format,
    images,
    toolSettings,
    onBusy: onBusy ?? 'queue',
    ...Object.fromEntries(Object.entries(later).filter(isSaid)),
  };
}

/**
 * @param sessionId null: of a run in a new chat
 * @returns the turn of an earlier request with this key; null when there is none. @throws MochiError idempotency_mismatch
 */
async function findEarlierTurn(
  db: Db,
  sessionId: string | null,
  mark: IdempotencyMark,
): Promise<string | null> {
  const since = timestampBefore(KEPT_HOURS * 3_600_000);
  const earlier = await findIdempotentTurn(db, sessionId, { key: mark.key, since });
  if (earlier === null || earlier.hash === mark.hash) return earlier?.turnId ?? null;
  throw new MochiError(
    'idempotency_mismatch',
    'This idempotency key came with another request before. Use a new key for a new request.',
    { session_id: earlier.sessionId, turn_id: earlier.turnId },
  );
}

/** The same request came to another server a moment before: its turn is joined. */
class Repeated extends Error {
  override readonly name = 'Repeated';
  readonly turnId: string;

  constructor(turnId: string) {
    super(`The request is that of the turn ${turnId}.`);
    this.turnId = turnId;
  }
}

/**
 * Joins the turn of an earlier request with this key, or begins one.
 * @throws MochiError idempotency_mismatch; what the doors throw
 */
export async function beginOnce<T>(
  db: Db,
  { scope, mark }: { readonly scope: string | null; readonly mark: IdempotencyMark },
  doors: { readonly begin: () => Promise<T>; readonly join: (turnId: string) => Promise<T> },
): Promise<T> {
  const earlier = await findEarlierTurn(db, scope, mark);
  if (earlier !== null) return doors.join(earlier);
  return doors.begin().catch((error: unknown) => {
    if (error instanceof Repeated) return doors.join(error.turnId);
    throw error;
  });
}

/** Where other servers share the database. @throws Repeated; MochiError idempotency_mismatch */
export async function refuseRepeated(
  db: Db,
  sessionId: string | null,
  mark: IdempotencyMark | null,
): Promise<void> {
  if (mark === null || instanceOf(db) === null) return;
  // Nothing else lets requests wait for each other that are in no session yet.
  if (sessionId === null) await lockKey(db, mark.key);
  const earlier = await findEarlierTurn(db, sessionId, mark);
  if (earlier !== null) throw new Repeated(earlier);
}
