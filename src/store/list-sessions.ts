// Pages of sessions, the newest first: of people, of agents, or both.
import { sql } from 'kysely';
import type { AgentChatItem } from '../contract/agent-chat.ts';
import type { SessionListItem } from '../contract/session.ts';
import type { Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import { parseStored } from './parse-stored.ts';
import { prepared } from './prepared.ts';
import { activeTurn, countMessages, shownSummary } from './sessions.ts';

interface SessionPosition {
  readonly updatedAt: string;
  readonly id: string;
}

interface ListPage {
  readonly limit: number;
  readonly after: SessionPosition | null;
}

interface SessionPage extends ListPage {
  /** Agent chats as well. */
  readonly includesAgents: boolean;
  /** Sessions as well that nobody has gone on with by name. */
  readonly includesUnlisted?: boolean;
  /** Only these. */
  readonly ids?: readonly string[];
}

/** Sessions of the same instant by id. One index range: the cost is that of the page. */
export async function listSessions(db: Db, page: SessionPage): Promise<SessionListItem[]> {
  const { ids, includesAgents, includesUnlisted = false } = page;
  const { isAmong, unindexed } = dialectOf(db);
  let query = pageQuery(db, page);
  if (ids !== undefined) {
    // With the sign each is looked up by its id, instead of walking the whole list in search of few.
    query = query
      .clearOrderBy()
      .orderBy(unindexed('updated_at'), 'desc')
      .orderBy('id')
      .where(isAmong('id', ids));
  } else if (!includesAgents && !includesUnlisted) {
    query = query.where(IS_CHAT).where(IS_LISTED);
  } else {
    // With the signs the whole list is walked in its order.
    if (!includesAgents) query = query.where(sql<boolean>`${unindexed('kind')} = 'chat'`);
    if (!includesUnlisted) query = query.where(sql<boolean>`${unindexed('listed')} = 1`);
  }
  const rows = await query.execute();
  return rows.map((row) => ({
    ...toListItem(row),
    ...(includesAgents && { kind: row.kind }),
    ...(row.listed === 0 && { unlisted: true as const }),
  }));
}

interface AgentChatPage extends ListPage {
  readonly agent: string | null;
  readonly parentSessionId: string | null;
}

/** Of one agent, of one session, or all. One index range of agent chats. */
export async function listAgentChats(db: Db, page: AgentChatPage): Promise<AgentChatItem[]> {
  const { agent, parentSessionId } = page;
  let query = pageQuery(db, page).where(IS_AGENT).select(lastTurn(db));
  if (parentSessionId !== null) query = query.where('parent_session_id', '=', parentSessionId);
  // With the sign the few of a session are looked through, instead of all of the agent.
  if (agent !== null) {
    const name = parentSessionId === null ? sql.ref('agent_name') : dialectOf(db).unindexed('agent_name');
    query = query.where(sql<boolean>`${name} = ${agent}`);
  }
  const rows = await query.execute();
  return rows.map((row) => ({
    ...toListItem(row),
    agent_name: row.agent_name,
    parent_session_id: row.parent_session_id,
    last_turn_id: row.last_turn_id,
  }));
}

const selectKind = prepared((db, { sessionId }: { readonly sessionId: string }) =>
  db.selectFrom('sessions').select('kind').where('id', '=', sessionId),
);

export async function isAgentChat(db: Db, sessionId: string): Promise<boolean> {
  const { rows } = await selectKind(db, { sessionId });
  return rows[0]?.kind === 'agent';
}

/** Agent chats that go with a session, the oldest first. */
export async function listAgentChatIds(db: Db, parentSessionId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('sessions')
    .select('id')
    .where('parent_session_id', '=', parentSessionId)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return rows.map(({ id }) => id);
}

// Literal: a partial index serves only what is known to lie in it before any value is.
const IS_CHAT = sql<boolean>`kind = 'chat'`;
const IS_LISTED = sql<boolean>`listed = 1`;
const IS_AGENT = sql<boolean>`kind = 'agent'`;

function lastTurn(db: Db) {
  return sql<string | null>`(
  select id from turns where turns.session_id = sessions.id
  order by created_at desc, ${dialectOf(db).order('turns')} desc limit 1
)`.as('last_turn_id');
}

function pageQuery(db: Db, { limit, after }: ListPage) {
  const query = db
    .selectFrom('sessions')
    .select([
      'id',
      'model',
      'title',
      'created_at',
      'updated_at',
      'head_depth',
      'system_id',
      'summary',
      'preview',
      'metadata',
      'kind',
      'agent_name',
      'parent_session_id',
      'listed',
      activeTurn(db),
    ])
    .orderBy('updated_at', 'desc')
    .orderBy('id')
    .limit(limit);
  if (after === null) return query;
  return query
    .where('updated_at', '<=', after.updatedAt)
    .where((is) => is.or([is('updated_at', '<', after.updatedAt), is('id', '>', after.id)]));
}

type ListRow = Awaited<ReturnType<ReturnType<typeof pageQuery>['execute']>>[number];

function toListItem(row: ListRow): SessionListItem {
  return {
    session_id: row.id,
    model: row.model,
    title: row.title,
    created_at: row.created_at,
    updated_at: row.updated_at,
    message_count: countMessages(row),
    summary: shownSummary(row.summary),
    preview: row.preview ?? '',
    metadata: parseStored(row.metadata),
    active_turn: row.active_turn,
  };
}
