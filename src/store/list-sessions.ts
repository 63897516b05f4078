// Pages of sessions, the newest first: of people, of agents, or both.
import { type SelectQueryBuilder, sql } from 'kysely';
import type { AgentChatItem } from '../contract/agent-chat.ts';
import type { SessionListItem } from '../contract/session.ts';
import type { Database, Db } from './database.ts';
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

/** Sessions of the same instant by id. One index range of each kind: the cost is that of the page. */
export async function listSessions(db: Db, page: SessionPage): Promise<SessionListItem[]> {
  const { includesAgents } = page;
  const rows = await (page.ids === undefined ? allOf(db, page) : amongIds(db, page, page.ids)).execute();
  return rows.map((row) => ({
    ...toListItem(row),
    ...(includesAgents && { kind: row.kind }),
    ...(row.listed === 0 && { unlisted: true as const }),
  }));
}

/** Each kind has an index of its own, and they are merged. */
function allOf(db: Db, page: SessionPage) {
  const { includesAgents, includesUnlisted = false } = page;
  const rows = () => after(rowsOf(db), page);
  let query = rows().where(IS_CHAT).where(IS_LISTED);
  if (includesUnlisted) query = query.unionAll(rows().where(IS_CHAT).where(IS_UNLISTED));
  if (includesAgents)
    query = query.unionAll(
      rows()
        .where(IS_AGENT)
        .$if(!includesUnlisted, (query) => query.where(IS_LISTED)),
    );
  return query.orderBy('updated_at', 'desc').orderBy('id').limit(page.limit);
}

/** Each is looked up by its id, instead of walking the whole list in search of few; read are those of the page alone. */
function amongIds(db: Db, page: SessionPage, ids: readonly string[]) {
  const { isAmong, unindexed } = dialectOf(db);
  const newest = after(db.selectFrom('sessions').select('id'), page)
    .where(isAmong('id', ids))
    .$if(!page.includesAgents, (query) => query.where(sql<boolean>`${unindexed('kind')} = 'chat'`))
    .$if(page.includesUnlisted !== true, (query) => query.where(sql<boolean>`${unindexed('listed')} = 1`))
    .orderBy(unindexed('updated_at'), 'desc')
    .orderBy('id')
    .limit(page.limit);
  return rowsOf(db).where('id', 'in', newest).orderBy(unindexed('updated_at'), 'desc').orderBy('id');
}

interface AgentChatPage extends ListPage {
  readonly agent: string | null;
  readonly parentSessionId: string | null;
}

/** Of one agent, of one session, or all. One index range of agent chats. */
export async function listAgentChats(db: Db, page: AgentChatPage): Promise<AgentChatItem[]> {
  const { agent, parentSessionId } = page;
  let query = after(rowsOf(db), page)
    .where(IS_AGENT)
    .select(lastTurn(db))
    .orderBy('updated_at', 'desc')
    .orderBy('id')
    .limit(page.limit);
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
const IS_UNLISTED = sql<boolean>`listed = 0`;
const IS_AGENT = sql<boolean>`kind = 'agent'`;

function lastTurn(db: Db) {
  return sql<string | null>`(
  select id from turns where turns.session_id = sessions.id
  order by created_at desc, ${dialectOf(db).order('turns')} desc limit 1
)`.as('last_turn_id');
}

function rowsOf(db: Db) {
  return db
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
    ]);
}

/** Those of the page and of all that follow it. */
function after<O>(query: SelectQueryBuilder<Database, 'sessions', O>, { after: last }: ListPage) {
  if (last === null) return query;
  return query
    .where('updated_at', '<=', last.updatedAt)
    .where((is) => is.or([is('updated_at', '<', last.updatedAt), is('id', '>', last.id)]));
}

type ListRow = Awaited<ReturnType<ReturnType<typeof rowsOf>['execute']>>[number];

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
