// Approval rows: asked, and settled once. Every creation and change takes the next number of one counter, which is kept
// apart from the rows: whoever knows a number can be told what came after it, even when that row has gone.
import type { Selectable } from 'kysely';
import { sql } from 'kysely';
import type { Approval } from '../contract/approval.ts';
import type { ApprovalTable, Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import { parseStored } from './parse-stored.ts';

/** Everything that is asked, before anybody has answered. */
export type NewApprovalRow = Omit<Approval, 'state' | 'decided_at' | 'decision'> & {
  /** Of the tool as it was asked about; null: it is about no tool. */
  readonly fingerprint: string | null;
  /** By which rules know the tool. */
  readonly policy_name: string | null;
};

export interface StoredApproval {
  readonly approval: Approval;
  readonly fingerprint: string | null;
  readonly policyName: string | null;
  /** The number of its newest change. */
  readonly change: number;
}

/** What has no column of its own. */
type Body = Pick<
  NewApprovalRow,
  | 'tool_call_id'
  | 'tool_name'
  | 'policy_name'
  | 'agent_name'
  | 'arguments'
  | 'input_schema'
  | 'rule'
  | 'question'
  | 'plan'
  | 'previous'
  | 'allowed_decisions'
  | 'allowed_scopes'
>;

export async function insertApprovals(db: Db, approvals: readonly NewApprovalRow[]): Promise<Approval[]> {
  if (approvals.length === 0) return [];
  const change = await nextChange(db, approvals.length);
  const rows = await db
    .insertInto('approvals')
    .values(
      approvals.map(({ confirmation_id: id, fingerprint, ...approval }, index) => ({
        id,
        change: change + index,
        kind: approval.kind,
        state: 'pending' as const,
        session_id: approval.session_id,
        turn_id: approval.turn_id,
        message_id: approval.message_id,
        call_index: approval.call_index,
        agent_session_id: approval.agent_session_id,
        body: JSON.stringify(bodyOf(approval)),
        digest: approval.digest,
        fingerprint,
        created_at: approval.created_at,
        expires_at: approval.expires_at,
        decided_at: null,
        decision: null,
      })),
    )
    .returningAll()
    .execute();
  return rows.map((row) => toStored(row).approval);
}

function bodyOf(approval: Body): Body {
  return {
    tool_call_id: approval.tool_call_id,
    tool_name: approval.tool_name,
    policy_name: approval.policy_name,
    agent_name: approval.agent_name,
    arguments: approval.arguments,
    input_schema: approval.input_schema,
    rule: approval.rule,
    question: approval.question,
    plan: approval.plan,
    previous: approval.previous,
    allowed_decisions: approval.allowed_decisions,
    allowed_scopes: approval.allowed_scopes,
  };
}

export async function findApproval(db: Db, id: string): Promise<StoredApproval | null> {
  const row = await seen(db).where('approvals.id', '=', id).executeTakeFirst();
  return row === undefined ? null : toStored(row);
}

/** With decisions, in the order in which they were asked. */
export async function listApprovalsOfTurn(db: Db, turnId: string): Promise<Approval[]> {
  const rows = await db
    .selectFrom('approvals')
    .selectAll()
    .where('turn_id', '=', turnId)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return rows.map((row) => toStored(row).approval);
}

export interface ApprovalFilter {
  /** Pending ones come oldest first, all of them newest first. */
  readonly isPending: boolean;
  readonly sessionId?: string | undefined;
  readonly turnId?: string | undefined;
  readonly limit: number;
  /** Of the page before. */
  readonly after: { readonly createdAt: string; readonly id: string } | null;
}

/** Few are pending, and they have an index: with the signs they are sorted, instead of looked for among all there were. */
export async function listApprovals(db: Db, filter: ApprovalFilter): Promise<Approval[]> {
  const { isPending, sessionId, turnId, after } = filter;
  const beyond = isPending ? '>' : '<';
  let query = seen(db).limit(filter.limit);
  query = isPending
    ? query.where(pending).orderBy(dialectOf(db).unindexed('approvals.created_at'))
    : query.orderBy('approvals.created_at', 'desc');
  query = query.orderBy('approvals.id');
  if (sessionId !== undefined) query = query.where('approvals.session_id', '=', sessionId);
  if (turnId !== undefined) query = query.where('approvals.turn_id', '=', turnId);
  if (after !== null) {
    query = query.where((is) =>
      is.or([
        is('approvals.created_at', beyond, after.createdAt),
        is.and([is('approvals.created_at', '=', after.createdAt), is('approvals.id', '>', after.id)]),
      ]),
    );
  }
  const rows = await query.execute();
  return rows.map((row) => toStored(row).approval);
}

interface ChangeRange {
  readonly after: number;
  readonly upTo: number;
  readonly isPending: boolean;
  readonly limit: number;
}

/** As they are now, in the order of their newest changes. */
export async function listChangedApprovals(db: Db, range: ChangeRange): Promise<StoredApproval[]> {
  // As above: with the sign those that are pending are looked at, and not all that have changed.
  const change = range.isPending
    ? dialectOf(db).unindexed<number>('approvals.change')
    : sql<number>`approvals.change`;
  let query = seen(db)
    .where(change, '>', range.after)
    .where(change, '<=', range.upTo)
    .orderBy(change)
    .limit(range.limit);
  if (range.isPending) query = query.where(pending);
  return (await query.execute()).map(toStored);
}

const COUNTER = 'approval_change';

/** The number of the newest change of all; 0: there was none. */
export async function findNewestChange(db: Db): Promise<number> {
  const row = await db.selectFrom('meta').select('value').where('key', '=', COUNTER).executeTakeFirst();
  return Number(row?.value ?? 0);
}

/**
 * First in a transaction that looks at approvals before it settles them. SQLite has one writer at a time anyway;
 * elsewhere whoever settles one waits here until it is committed.
 */
export async function lockApprovals(db: Db): Promise<void> {
  if (dialectOf(db).name === 'sqlite') return;
  await db.selectFrom('meta').select('key').where('key', '=', COUNTER).forUpdate().execute();
}

/** Takes some numbers. @returns the first of them */
export async function nextChange(db: Db, count: number): Promise<number> {
  const { value } = await db
    .insertInto('meta')
    .values({ key: COUNTER, value: String(count) })
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet({ value: sql`cast(cast(meta.value as integer) + ${count} as text)` }),
    )
    .returning('value')
    .executeTakeFirstOrThrow();
  return Number(value) - count + 1;
}

/** As the indexes of pending ones have it: a value that is only bound later would not be known to fit them. */
export const pending = sql<boolean>`approvals.state = 'pending'`;

/** Those of sessions that are there for everybody. */
function seen(db: Db) {
  return db
    .selectFrom('approvals')
    .innerJoin('sessions', 'sessions.id', 'approvals.session_id')
    .selectAll('approvals');
}

export function toStored(row: Selectable<ApprovalTable>): StoredApproval {
  const { policy_name: policyName, ...body }: Body = parseStored(row.body);
  return {
    change: row.change,
    fingerprint: row.fingerprint,
    policyName,
    approval: {
      confirmation_id: row.id,
      kind: row.kind,
      state: row.state,
      session_id: row.session_id,
      turn_id: row.turn_id,
      message_id: row.message_id,
      call_index: row.call_index,
      agent_session_id: row.agent_session_id,
      digest: row.digest,
      created_at: row.created_at,
      expires_at: row.expires_at,
      decided_at: row.decided_at,
      decision: row.decision === null ? null : parseStored(row.decision),
      ...body,
    },
  };
}
