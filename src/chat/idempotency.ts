// A repeated request joins the turn that the first one started, also after a restart.
import { createHash } from 'node:crypto';
import { MochiError } from '../contract/errors.ts';
import { timestampBefore } from '../kit/clock.ts';
import type { Db } from '../store/database.ts';
import { findIdempotentTurn, type IdempotencyMark } from '../store/turns.ts';
import { type ChatRoute, type TurnRequest, USUAL_APPROVAL } from './turn-request.ts';

/** How long a key stands for its turn (API.md §4). */
const KEPT_HOURS = 24;

/**
 * @param route a key is per session and route
 * @param request what the turn is: `on_disconnect` is about a connection and no part of it
 */
export function toMark(key: string, route: ChatRoute, request: TurnRequest): IdempotencyMark {
  const hash = createHash('sha256')
    .update(JSON.stringify([route, asHashed(route, request)]))
    .digest('hex');
  return { key: `${route} ${key}`, hash };
}

/** A key holds over an update of the server: what has its default is as it was before there was a choice. */
function asHashed(
  route: ChatRoute,
  { onApproval, replaces, clientTools, toolResults, ...request }: TurnRequest,
): object {
  const isUsual = onApproval === USUAL_APPROVAL[route];
  return {
    ...request,
    onBusy: request.onBusy ?? 'queue',
    ...(!isUsual && { onApproval }),
    ...(replaces !== null && { replaces }),
    ...(clientTools.length > 0 && { clientTools }),
    ...(toolResults.length > 0 && { toolResults }),
  };
}

/** @returns the turn of an earlier request with this key; null when there is none. @throws MochiError idempotency_mismatch */
export async function findEarlierTurn(
  db: Db,
  sessionId: string,
  mark: IdempotencyMark,
): Promise<string | null> {
  const since = timestampBefore(KEPT_HOURS * 3_600_000);
  const earlier = await findIdempotentTurn(db, sessionId, { key: mark.key, since });
  if (earlier === null || earlier.hash === mark.hash) return earlier?.turnId ?? null;
  throw new MochiError(
    'idempotency_mismatch',
    'This idempotency key came with another request before. Use a new key for a new request.',
    { session_id: sessionId, turn_id: earlier.turnId },
  );
}
