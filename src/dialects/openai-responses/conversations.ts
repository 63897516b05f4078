// Conversations: sessions under the names of another API.
import { appendSaid } from '../../chat/place-history.ts';
import type { EngineMessage } from '../../contract/engine.ts';
import { invalidField } from '../../contract/errors.ts';
import { createSession } from '../../sessions/create-session.ts';
import { patchSession } from '../../sessions/patch-session.ts';
import { requireSession } from '../../sessions/require.ts';
import { moveHead } from '../../store/active-path.ts';
import { changeIdleSession } from '../../store/session-busy.ts';
import type { StoredSession } from '../../store/sessions.ts';
import type { Asked, DialectDeps, JsonAnswer } from '../dialect.ts';
import { inNewSession } from '../made-for-request.ts';
import type { JsonObject } from '../read-content.ts';
import { readItems } from './append-items.ts';
import { listItems, listItemsBehind, requireItem } from './conversation-items.ts';
import { toConversationId } from './ids.ts';
import { readListPage, toListBody } from './list-page.ts';
import { readMetadata, showMetadata } from './metadata.ts';
import { requireSessionId } from './read-request.ts';
import { toSeconds } from './response-object.ts';

/** Items of a request, each of which can be several of ours. */
const MAX_ADDED = 100;

export async function createConversation(
  deps: DialectDeps,
  { body }: Asked<{ items?: JsonObject[] | null; metadata?: JsonObject | null }>,
): Promise<JsonAnswer> {
  const metadata = readMetadata(body.metadata);
  const messages = readItems(body.items ?? []);
  const { session_id: id } = await createSession(deps, { metadata });
  await inNewSession(deps, { sessionId: id, isNew: true }, () => append(deps, id, messages));
  return { as: 'json', body: toConversation(await requireSession(deps.db, id)) };
}

export async function getConversation({ db }: DialectDeps, { params }: Asked): Promise<JsonAnswer> {
  return { as: 'json', body: toConversation(await requireSession(db, sessionIdOf(params))) };
}

/** Metadata that are no texts stay: they are not this API's. */
export async function updateConversation(
  deps: DialectDeps,
  { body, params }: Asked<{ metadata?: JsonObject | null }>,
): Promise<JsonAnswer> {
  const given = readMetadata(body.metadata);
  const sessionId = sessionIdOf(params);
  const { metadata } = await requireSession(deps.db, sessionId);
  const kept = Object.entries(metadata).filter(([, value]) => typeof value !== 'string');
  const session = await patchSession(deps, sessionId, {
    metadata: { ...Object.fromEntries(kept), ...given },
  });
  return { as: 'json', body: toConversation(session) };
}

export async function deleteConversation(deps: DialectDeps, { params }: Asked): Promise<JsonAnswer> {
  const sessionId = sessionIdOf(params);
  if (!(await deps.turns.delete(sessionId))) await requireSession(deps.db, sessionId);
  const id = toConversationId(sessionId);
  return { as: 'json', body: { id, object: 'conversation.deleted', deleted: true } };
}

export async function getItems({ db }: DialectDeps, { params, query }: Asked): Promise<JsonAnswer> {
  return { as: 'json', body: await listItems(db, sessionIdOf(params), readListPage(query)) };
}

/** At the end, without an answer. */
export async function addItems(
  deps: DialectDeps,
  { body, params }: Asked<{ items: JsonObject[] }>,
): Promise<JsonAnswer> {
  const sessionId = sessionIdOf(params);
  const messages = readItems(body.items);
  const { headDepth } = await requireSession(deps.db, sessionId);
  await deps.turns.change(sessionId, () => append(deps, sessionId, messages));
  const items = await listItemsBehind(deps.db, sessionId, headDepth);
  return { as: 'json', body: toListBody(items, { limit: MAX_ADDED, order: 'asc', after: null }) };
}

async function append(
  deps: DialectDeps,
  sessionId: string,
  messages: readonly EngineMessage[],
): Promise<void> {
  if (messages.length === 0) return;
  await changeIdleSession(deps.db, sessionId, async (transaction) => {
    const { headId, headDepth } = await requireSession(transaction, sessionId);
    const tip = headId === null ? null : { id: headId, depth: headDepth };
    await appendSaid({ ...deps, db: transaction }, { sessionId, turnId: null }, tip, messages);
  });
}

export async function getItem({ db }: DialectDeps, { params }: Asked): Promise<JsonAnswer> {
  const { item } = await requireItem(db, sessionIdOf(params), params['item'] ?? '');
  return { as: 'json', body: item };
}

/** Only the last can go: the conversation then ends before it, and what was there is another branch. */
export async function deleteItem(deps: DialectDeps, { params }: Asked): Promise<JsonAnswer> {
  const sessionId = sessionIdOf(params);
  await deps.turns.change(sessionId, async () => {
    const { depth, parent } = await requireItem(deps.db, sessionId, params['item'] ?? '');
    const { headDepth } = await requireSession(deps.db, sessionId);
    if (depth !== headDepth) {
      throw invalidField(
        '/item',
        'must be the last of the conversation: what came after it would hang in the air',
      );
    }
    await changeIdleSession(deps.db, sessionId, (db) => moveHead(db, sessionId, parent, deps.now()));
  });
  return { as: 'json', body: toConversation(await requireSession(deps.db, sessionId)) };
}

function sessionIdOf(params: Asked['params']): string {
  return requireSessionId(params['id'] ?? '');
}

function toConversation({ session_id: id, created_at: createdAt, metadata }: StoredSession): JsonObject {
  return {
    id: toConversationId(id),
    object: 'conversation',
    created_at: toSeconds(createdAt),
    metadata: showMetadata(metadata),
  };
}
