// Turn rows.
import { type SelectQueryBuilder, sql, type Updateable } from 'kysely';
import type { ContextReceipt } from '../contract/context-window.ts';
import type { FinishReason } from '../contract/message.ts';
import type { ErrorObject, FinalTurnState, Turn, TurnState, TurnUsage } from '../contract/turn.ts';
import { type NewRun, type RunParent, runColumns, toParent } from './agent-runs.ts';
import type { Database, Db, TurnTable } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import { parseStored } from './parse-stored.ts';
import { prepared } from './prepared.ts';
import type { OwnedTurn } from './tenure.ts';

export interface NewTurn {
  readonly id: string;
  readonly sessionId: string;
  readonly state: Extract<TurnState, 'queued' | 'running'>;
  readonly createdAt: string;
  /** Kept while the turn is queued, so that a restart finds the message. */
  readonly request: QueuedMessage | null;
  readonly userMessageId: string | null;
  readonly idempotency: IdempotencyMark | null;
  readonly isStructured: boolean;
  /** Left out: no agent works in it. */
  readonly run?: NewRun | null;
  /** Left out: nobody shares the database. */
  readonly owned?: OwnedTurn | null;
}

/** What tells a repeated request from a new one. */
export interface IdempotencyMark {
  readonly key: string;
  /** Of the route and the whole request. */
  readonly hash: string;
}

/** The user message of a turn that has not begun. */
export interface QueuedMessage {
  readonly messageId: string;
  readonly content: string;
  readonly timestamp: string;
  readonly images: readonly string[];
  /** The message whose sibling it is to be; left out: it is the last of the path. */
  readonly replaces?: string;
  /** What a client has of the conversation, in the place of one message; left out: it is this message. */
  readonly placed?: object;
}

const addTurn = prepared((db, row: TurnRowValues) => db.insertInto('turns').values(row));

export async function insertTurn(db: Db, turn: NewTurn): Promise<void> {
  await addTurn(db, toTurnRow(turn));
}

type TurnRowValues = TurnTable & { readonly owner?: string; readonly rank?: number };

export function toTurnRow(turn: NewTurn): TurnRowValues {
  return {
    id: turn.id,
    session_id: turn.sessionId,
    state: turn.state,
    created_at: turn.createdAt,
    finished_at: null,
    request: turn.request && JSON.stringify(turn.request),
    user_message_id: turn.userMessageId,
    message_id: null,
    error: null,
    usage: null,
    context: null,
    last_event_id: 0,
    idempotency_key: turn.idempotency?.key ?? null,
    idempotency_hash: turn.idempotency?.hash ?? null,
    is_structured: turn.isStructured ? 1 : 0,
    settings: turn.owned ? JSON.stringify(turn.owned.settings) : null,
    on_disconnect: null,
    ...runColumns(turn.run ?? null),
    ...(turn.owned && { owner: turn.owned.owner, rank: turn.owned.rank }),
  };
}

/** A queued turn begins: its message is on the path now, so the copy in the row goes. */
export async function markTurnRunning(db: Db, turnId: string, userMessageId: string | null): Promise<void> {
  await writeTurn(db, { turnId, state: 'running', request: null, user_message_id: userMessageId });
}

export interface TurnEnd {
  readonly state: FinalTurnState;
  readonly finishedAt: string;
  readonly error: ErrorObject | null;
  readonly messageId: string | null;
  readonly usage: TurnUsage | null;
  /** Left out: what is stored already stays. */
  readonly context?: ContextReceipt | null;
  readonly lastEventId: number;
  /** Its message is not on the path yet, and stays in the row until it is. */
  readonly isMessageOpen?: boolean;
  /** Its message was taken off the path, and is gone. */
  readonly isTakenBack?: boolean;
}

type TurnColumns = { readonly turnId: string } & Updateable<Database['turns']>;

const writeTurn = prepared((db, { turnId, finished_at: end, ...columns }: TurnColumns) =>
  db
    .updateTable('turns')
    // The clock may have been set back since the turn began.
    .set({
      ...columns,
      ...(end !== undefined && {
        finished_at: sql<string>`case when created_at > ${end} then created_at else ${end} end`,
      }),
    })
    .where('id', '=', turnId),
);

export async function finishTurn(db: Db, turnId: string, end: TurnEnd): Promise<void> {
  await writeTurn(db, {
    turnId,
    state: end.state,
    finished_at: end.finishedAt,
    ...(end.isMessageOpen !== true && { request: null }),
    ...(end.isTakenBack === true && { user_message_id: null }),
    error: end.error && JSON.stringify(end.error),
    message_id: end.messageId,
    usage: end.usage && JSON.stringify(end.usage),
    ...(end.context !== undefined && { context: end.context && JSON.stringify(end.context) }),
    last_event_id: end.lastEventId,
    // Nobody drives it any more.
    ...(dialectOf(db).name === 'postgres' && { owner: null }),
  });
}

/** Whether the answer of a turn was asked for as JSON. */
export async function isStructuredTurn(db: Db, turnId: string): Promise<boolean> {
  const row = await db
    .selectFrom('turns')
    .select('is_structured')
    .where('id', '=', turnId)
    .executeTakeFirst();
  return row?.is_structured === 1;
}

/** Of a session that is hidden nobody hears of a turn. */
export const isSeen = sql<boolean>`exists (select 1 from sessions where sessions.id = turns.session_id)`;

const selectTurn = prepared((db, { turnId }: { readonly turnId: string }) =>
  turnQuery(db).where('turns.id', '=', turnId).where(isSeen),
);

export async function findTurn(db: Db, turnId: string): Promise<Turn | null> {
  const { rows } = await selectTurn(db, { turnId });
  const [row] = rows;
  return row === undefined ? null : toTurn(row);
}

/** What the last turn that reached the engine had sent; null when none has. */
export async function findLastReceipt(db: Db, sessionId: string): Promise<ContextReceipt | null> {
  const row = await db
    .selectFrom('turns')
    .select('context')
    .where('session_id', '=', sessionId)
    .where('context', 'is not', null)
    .orderBy('created_at', 'desc')
    .orderBy(dialectOf(db).order('turns'), 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.context == null ? null : parseReceipt(row.context);
}

/** The message of an ended turn is on the path now. */
export async function dropRequest(db: Db, turnId: string): Promise<void> {
  await writeTurn(db, { turnId, request: null });
}

/** An answer has begun: what was sent for it is known, whatever becomes of it. */
export async function noteAnswer(
  db: Db,
  turnId: string,
  answer: { readonly messageId: string; readonly context: ContextReceipt },
): Promise<void> {
  await writeTurn(db, { turnId, message_id: answer.messageId, context: JSON.stringify(answer.context) });
}

/** How far the events of a running turn have come: a checkpoint beside that of its text. */
export async function noteLastEvent(db: Db, turnId: string, lastEventId: number): Promise<void> {
  await writeTurn(db, { turnId, last_event_id: lastEventId });
}

export interface TurnPosition {
  readonly createdAt: string;
  readonly id: string;
}

/** Turns of a session, newest first. */
export async function listTurns(
  db: Db,
  sessionId: string,
  page: { readonly limit: number; readonly before: TurnPosition | null },
): Promise<Turn[]> {
  let query = turnQuery(db)
    .where('session_id', '=', sessionId)
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(page.limit);
  const { before } = page;
  if (before !== null) {
    query = query
      .where('created_at', '<=', before.createdAt)
      .where((is) => is.or([is('created_at', '<', before.createdAt), is('id', '>', before.id)]));
  }
  return (await query.execute()).map(toTurn);
}

export interface UnfinishedTurn {
  readonly id: string;
  readonly sessionId: string;
  readonly state: TurnState;
  readonly request: QueuedMessage | null;
  /** Its answer, as far as one has begun. */
  readonly messageId: string | null;
  readonly lastEventId: number;
  /** Null: no agent works in it. */
  readonly run: { readonly agentName: string; readonly parent: RunParent | null } | null;
}

const RUN_COLUMNS = [
  'agent_name',
  'parent_turn_id',
  'parent_session_id',
  'parent_message_id',
  'parent_call_index',
] as const;

const selectUnfinished = prepared((db, { sessionId }: { readonly sessionId?: string }) => {
  const query = db
    .selectFrom('turns')
    .select(['id', 'session_id', 'state', 'request', 'message_id', 'last_event_id', ...RUN_COLUMNS])
    .where('finished_at', 'is', null)
    .where(isSeen)
    // The sign keeps the planner from walking every turn of the session in order, instead of the open few.
    .orderBy(dialectOf(db).unindexed('created_at'))
    .orderBy(dialectOf(db).order('turns'));
  return sessionId === undefined ? query : query.where('session_id', '=', sessionId);
});

/** Turns without an end, oldest first: of one session, or of all. */
export async function listUnfinishedTurns(db: Db, sessionId?: string): Promise<UnfinishedTurn[]> {
  const { rows } = await selectUnfinished(db, sessionId === undefined ? {} : { sessionId });
  return rows.map((row) => ({
    id: row.id,
    sessionId: row.session_id,
    state: row.state,
    request: row.request === null ? null : parseStored(row.request),
    messageId: row.message_id,
    lastEventId: row.last_event_id,
    run: row.agent_name === null ? null : { agentName: row.agent_name, parent: toParent(row) },
  }));
}

/** It has an owner where several servers share the database. */
type TurnRow = TurnTable & { finish_reason: FinishReason | null; owner?: string | null; epoch?: number };

/** How a turn's answer ended stands with the answer. */
export function turnQuery(db: Db): SelectQueryBuilder<Database, 'turns', TurnRow> {
  return db
    .selectFrom('turns')
    .selectAll()
    .select((is) =>
      is
        .selectFrom('messages')
        .select('messages.finish_reason')
        .whereRef('messages.session_id', '=', 'turns.session_id')
        .whereRef('messages.id', '=', 'turns.message_id')
        .as('finish_reason'),
    );
}

/** One of an earlier version says nothing about the limit of its answer. */
function parseReceipt(text: string): ContextReceipt {
  const later = { answer_limit: null, num_predict_clamped: false };
  return Object.assign(later, parseStored(text));
}

export function toTurn(row: TurnRow): Turn {
  return {
    turn_id: row.id,
    session_id: row.session_id,
    state: row.state,
    created_at: row.created_at,
    finished_at: row.finished_at,
    error: row.error === null ? null : parseStored(row.error),
    message_id: row.message_id,
    finish_reason: row.finish_reason,
    usage: row.usage === null ? null : parseStored(row.usage),
    context: row.context === null ? null : parseReceipt(row.context),
    last_event_id: row.last_event_id,
  };
}
