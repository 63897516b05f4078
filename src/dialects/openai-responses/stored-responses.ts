// Responses that are there: read, watched, cancelled, deleted.
import type { WatchableTurn } from '../../chat/watch/live-turn.ts';
import { invalidField, MochiError } from '../../contract/errors.ts';
import { isFinalState } from '../../contract/turn.ts';
import { requireSession } from '../../sessions/require.ts';
import { listTurnMessages } from '../../store/messages.ts';
import { hasOtherMessages, markResponseDeleted } from '../../store/responses.ts';
import { listSettledCalls, type SettledToolCall } from '../../store/settled-calls.ts';
import type { Asked, DialectAnswer, DialectDeps, JsonAnswer } from '../dialect.ts';
import { readListPage, toListBody } from './list-page.ts';
import { itemForm, readResponse, requireResponse, toHead } from './read-response.ts';
import { toItems } from './stored-items.ts';
import { createResponseWriter, NUMBERS_PER_EVENT } from './write-events.ts';

/** The response as it stands, or its events from the start or from where somebody was. */
export async function getResponse(
  deps: DialectDeps,
  { params, query, signal }: Asked,
): Promise<DialectAnswer> {
  const known = await requireResponse(deps, params['id'] ?? '');
  const include = includeOf(query);
  if (query['stream'] !== 'true') return { as: 'json', body: await readResponse(deps, known, include) };
  const startingAfter = readNumber(query['starting_after']);
  const turn = await deps.turns.open(known.turn.turn_id);
  if (startingAfter !== null) await requireEvents(turn, startingAfter, signal);
  const writer = createResponseWriter(toHead(known, include), startingAfter);
  // Who only watches leaves the turn as it is.
  const told = { how: 'sse', writer, isImmediate: true } as const;
  return { as: 'turn', turn, isStored: true, told, onDisconnect: 'continue' };
}

function includeOf({ include = '', 'include[]': list = '' }: Asked['query']): string[] {
  return [include, list].filter((name) => name !== '');
}

/** @throws MochiError validation_error */
function readNumber(given: string | undefined): number | null {
  if (given === undefined || given === '') return null;
  const number = Number(given);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw invalidField('/starting_after', 'must be the sequence_number of an event');
}

/** @throws MochiError cursor_expired where events after that one are told in other pieces now */
async function requireEvents(turn: WatchableTurn, startingAfter: number, left: AbortSignal): Promise<void> {
  for await (const [first] of turn.watch(0, left, 'there')) {
    if (first?.event.event !== 'snapshot' || (first.id ?? 0) * NUMBERS_PER_EVENT <= startingAfter) return;
    throw new MochiError(
      'cursor_expired',
      'The events after starting_after are not held any more: read the response from its start.',
    );
  }
}

/** Whatever runs of it is stopped; what came until then is kept. */
export async function cancelResponse(deps: DialectDeps, { params }: Asked): Promise<JsonAnswer> {
  const { turn, echo } = await requireResponse(deps, params['id'] ?? '');
  const stopped = await deps.turns.cancel(turn.turn_id, true);
  return { as: 'json', body: await readResponse(deps, { turn: stopped, echo }) };
}

/** Its messages stay where others could miss them. */
export async function deleteResponse(deps: DialectDeps, { params }: Asked): Promise<JsonAnswer> {
  const { id = '' } = params;
  const { turn } = await requireResponse(deps, id);
  const { turn_id: turnId, session_id: sessionId } = turn;
  if (!isFinalState(turn.state)) await deps.turns.cancel(turnId, true);
  if (await holdsNothingElse(deps, sessionId, turnId)) await deps.turns.delete(sessionId);
  else await markResponseDeleted(deps.db, turnId);
  return { as: 'json', body: { id, object: 'response', deleted: true } };
}

/** An unlisted session is nobody's but that of its one response. */
async function holdsNothingElse({ db }: DialectDeps, sessionId: string, turnId: string): Promise<boolean> {
  const { isListed } = await requireSession(db, sessionId);
  if (isListed) return false;
  return !(await hasOtherMessages(db, sessionId, turnId));
}

/** What the request has brought. */
export async function listInputItems(deps: DialectDeps, { params, query }: Asked): Promise<JsonAnswer> {
  const page = readListPage(query);
  const { turn, echo } = await requireResponse(deps, params['id'] ?? '');
  const messages = await listTurnMessages(deps.db, turn.session_id, turn.turn_id);
  const ids = messages.map(({ message_id: id }) => id);
  const calls = await listSettledCalls(deps.db, turn.session_id, ids);
  const own = new Set(calls.filter(({ messageId }) => ids.includes(messageId)).map(resultOf));
  const input = messages.filter(
    ({ role, message_id: id }) => role === 'user' || (role === 'tool' && !own.has(id)),
  );
  const items = toItems(input, calls, itemForm(turn.session_id, echo));
  return { as: 'json', body: toListBody(items, page) };
}

function resultOf({ resultMessageId }: SettledToolCall): string | null {
  return resultMessageId;
}
