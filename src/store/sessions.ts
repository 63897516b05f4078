// Session rows: read, list, write.
import { type Selectable, sql, type Updateable } from 'kysely';
import type { ContextWindowConfig } from '../contract/context-window.ts';
import type { Session, SessionKind, SessionSummary } from '../contract/session.ts';
import type { AgentSettings, ToolSettings } from '../contract/tool.ts';
import type { Db, SessionTable } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import { parseShared, parseStored } from './parse-stored.ts';
import { prepared } from './prepared.ts';
import type { PromptMark } from './prompt-mark.ts';

/** A summary with where it comes from; an imported one does not say. */
export interface StoredSummary extends SessionSummary {
  readonly model_used?: string | null;
  /** The last message that it covers. */
  readonly message_id?: string | null;
}

/** A session as rules need it: the contract's session plus what only the store knows. */
export interface StoredSession extends Session {
  readonly systemId: string | null;
  readonly headId: string | null;
  readonly headDepth: number;
  /** When its newest turn was accepted; null: it has none. */
  readonly newestTurnAt: string | null;
  readonly summary: StoredSummary | null;
  readonly promptMark: PromptMark | null;
  readonly kind: SessionKind;
  /** Of an agent chat, where it is known. */
  readonly agentName: string | null;
  /** The session that an agent chat belongs to; null: none. */
  readonly parentSessionId: string | null;
  /** The name that a client of another API has given it; null: none. */
  readonly clientKey: string | null;
  /** Whether it is in lists and searches. */
  readonly isListed: boolean;
}

export interface NewSession {
  readonly id: string;
  readonly model: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly title: string | null;
  readonly metadata: Record<string, unknown>;
  readonly toolSettings: ToolSettings;
  readonly agentSettings: AgentSettings;
  readonly contextWindow: ContextWindowConfig;
  readonly summary?: SessionSummary | null;
  readonly summaryModel: string | null;
  readonly importHash?: string;
  readonly extra?: Record<string, unknown> | null;
  /** Left out: a chat. */
  readonly kind?: SessionKind;
  readonly agentName?: string | null;
  readonly parentSessionId?: string | null;
  readonly clientKey?: string | null;
  /** Left out: it is in lists and searches. */
  readonly isListed?: boolean;
}

export async function insertSession(db: Db, session: NewSession): Promise<void> {
  const { summary = null, extra = null } = session;
  await db
    .insertInto('session_rows')
    .values({
      id: session.id,
      model: session.model,
      created_at: session.createdAt,
      updated_at: session.updatedAt,
      title: session.title,
      metadata: JSON.stringify(session.metadata),
      tool_settings: JSON.stringify(session.toolSettings),
      agent_settings: JSON.stringify(session.agentSettings),
      context_window: JSON.stringify(session.contextWindow),
      summary: summary && JSON.stringify(summary),
      summary_model: session.summaryModel,
      system_id: null,
      head_id: null,
      head_depth: -1,
      preview: null,
      import_hash: session.importHash ?? null,
      extra: extra && JSON.stringify(extra),
      prompt_mark: null,
      kind: session.kind ?? 'chat',
      agent_name: session.agentName ?? null,
      parent_session_id: session.parentSessionId ?? null,
      client_key: session.clientKey ?? null,
      listed: session.isListed === false ? 0 : 1,
      hidden: null,
      hidden_at: null,
    })
    .execute();
}

/** The turn that holds a session: the one that runs, else the first in line. */
export function activeTurn(db: Db) {
  const { unfinishedTurns, order } = dialectOf(db);
  return sql<string | null>`(
  select id from ${unfinishedTurns}
  where turns.session_id = sessions.id and finished_at is null
  order by state = 'queued', created_at, ${order('turns')} limit 1
)`.as('active_turn');
}

const newestTurnAt = sql<
  string | null
>`(select max(created_at) from turns where turns.session_id = sessions.id)`.as('newest_turn_at');

/** What a session is read with, besides its row. */
export function sessionExtras(db: Db) {
  return [activeTurn(db), newestTurnAt] as const;
}

const selectSession = prepared((db, { sessionId }: { readonly sessionId: string }) =>
  db.selectFrom('sessions').selectAll().select(sessionExtras(db)).where('id', '=', sessionId),
);

export async function findSession(db: Db, sessionId: string): Promise<StoredSession | null> {
  const { rows } = await selectSession(db, { sessionId });
  const [row] = rows;
  return row === undefined ? null : toSession(row);
}

export type SessionChange = Partial<
  Pick<
    SessionTable,
    'model' | 'title' | 'summary_model' | 'updated_at' | 'system_id' | 'head_id' | 'head_depth' | 'preview'
  >
> & {
  readonly metadata?: Record<string, unknown>;
  readonly toolSettings?: ToolSettings;
  readonly agentSettings?: AgentSettings;
  readonly contextWindow?: ContextWindowConfig;
  readonly promptMark?: PromptMark;
  readonly summary?: StoredSummary;
};

type SessionColumns = { readonly sessionId: string } & Updateable<SessionTable>;

const writeSession = prepared((db, { sessionId, ...columns }: SessionColumns) =>
  db.updateTable('session_rows').set(columns).where('id', '=', sessionId),
);

export async function updateSession(db: Db, sessionId: string, change: SessionChange): Promise<void> {
  await writeSession(db, { sessionId, ...toColumns(change) });
}

type MovedColumns = SessionColumns & { readonly from?: string; readonly firstPreview?: string };

const writeMovedSession = prepared((db, { sessionId, from, firstPreview, ...columns }: MovedColumns) =>
  db
    .updateTable('session_rows')
    .set({
      ...columns,
      ...(firstPreview !== undefined && { preview: sql<string>`coalesce(preview, ${firstPreview})` }),
    })
    .where('id', '=', sessionId)
    .where('head_id', from === undefined ? 'is' : '=', from ?? null),
);

/**
 * @param from the head that is expected; null: an empty path
 * @param change `firstPreview`: the preview of a path that has none yet
 * @returns false, and nothing is changed: the path ends elsewhere
 */
export async function moveHeadFrom(
  db: Db,
  sessionId: string,
  from: string | null,
  { firstPreview, ...change }: SessionChange & { readonly firstPreview?: string },
): Promise<boolean> {
  const { numAffectedRows } = await writeMovedSession(db, {
    sessionId,
    ...toColumns(change),
    ...(from !== null && { from }),
    ...(firstPreview !== undefined && { firstPreview }),
  });
  return (numAffectedRows ?? 0n) > 0n;
}

function toColumns(change: SessionChange): Updateable<SessionTable> {
  const { metadata, toolSettings, agentSettings, contextWindow, promptMark, summary, ...columns } = change;
  return {
    ...columns,
    ...(metadata && { metadata: JSON.stringify(metadata) }),
    ...(toolSettings && { tool_settings: JSON.stringify(toolSettings) }),
    ...(agentSettings && { agent_settings: JSON.stringify(agentSettings) }),
    ...(contextWindow && { context_window: JSON.stringify(contextWindow) }),
    ...(promptMark && { prompt_mark: JSON.stringify(promptMark) }),
    ...(summary && { summary: JSON.stringify(summary) }),
  };
}

const selectByName = prepared((db, { clientKey }: { readonly clientKey: string }) =>
  db.selectFrom('sessions').select('id').where('client_key', '=', clientKey),
);

/** The session under the name of a client. */
export async function findNamedSession(db: Db, clientKey: string): Promise<string | null> {
  const { rows } = await selectByName(db, { clientKey });
  return rows[0]?.id ?? null;
}

/** Gives a session the name that it has with a client, unless another one has it. */
export async function nameSession(db: Db, sessionId: string, clientKey: string): Promise<void> {
  if ((await findNamedSession(db, clientKey)) !== null) return;
  await db.updateTable('session_rows').set({ client_key: clientKey }).where('id', '=', sessionId).execute();
}

const list = prepared((db, { sessionId }: { readonly sessionId: string }) =>
  db.updateTable('session_rows').set({ listed: 1 }).where('id', '=', sessionId).where('listed', '=', 0),
);

/** Somebody has gone on with it by name: it is in lists and searches from now on. */
export async function listSession(db: Db, sessionId: string): Promise<void> {
  await list(db, { sessionId });
}

/** Sessions in no list that nobody has used since an instant. */
export async function findForgottenSessions(db: Db, before: string, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('sessions')
    .select('id')
    .where(sql<boolean>`listed = 0`)
    .where('updated_at', '<', before)
    .orderBy('updated_at')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/** @param except an id that is not looked for */
export async function findImportedSession(db: Db, importHash: string, except = ''): Promise<string | null> {
  const row = await db
    .selectFrom('sessions')
    .select('id')
    .where('import_hash', '=', importHash)
    .where('id', '!=', except)
    .executeTakeFirst();
  return row?.id ?? null;
}

export function countMessages(row: Pick<SessionTable, 'head_depth' | 'system_id'>): number {
  return row.head_depth + 1 + (row.system_id === null ? 0 : 1);
}

function parseSummary(text: string | null): StoredSummary | null {
  return text === null ? null : parseStored(text);
}

/** Without where it comes from. */
export function shownSummary(text: string | null): SessionSummary | null {
  const stored = parseSummary(text);
  return stored && { summary: stored.summary, topics: stored.topics };
}

export function toSession(
  row: Selectable<SessionTable> & { active_turn: string | null; newest_turn_at: string | null },
): StoredSession {
  return {
    session_id: row.id,
    model: row.model,
    created_at: row.created_at,
    updated_at: row.updated_at,
    message_count: countMessages(row),
    title: row.title,
    metadata: parseStored(row.metadata),
    tool_settings: parseShared(row.tool_settings),
    agent_settings: parseShared(row.agent_settings),
    context_window: parseStored(row.context_window),
    summary_model: row.summary_model,
    active_turn: row.active_turn,
    systemId: row.system_id,
    headId: row.head_id,
    headDepth: row.head_depth,
    newestTurnAt: row.newest_turn_at,
    summary: parseSummary(row.summary),
    promptMark: row.prompt_mark === null ? null : parseStored(row.prompt_mark),
    kind: row.kind,
    agentName: row.agent_name,
    parentSessionId: row.parent_session_id,
    clientKey: row.client_key,
    isListed: row.listed === 1,
  };
}
