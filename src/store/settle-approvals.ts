// How approvals end: decided, withdrawn, or too late; each once, since each change names the state that it finds.
import type { Approval, ApprovalState, Decision } from '../contract/approval.ts';
import { nextChange, pending, toStored } from './approvals.ts';
import type { Db } from './database.ts';

export interface Settlement {
  readonly state: Exclude<ApprovalState, 'pending' | 'expired' | 'cancelled'>;
  readonly decision: Decision;
  readonly now: string;
}

/** @returns null when it is pending no more, or too late */
export async function settleApproval(db: Db, id: string, settlement: Settlement): Promise<Approval | null> {
  const { state, decision, now } = settlement;
  const row = await db
    .updateTable('approvals')
    .set({
      state,
      decision: JSON.stringify(decision),
      decided_at: now,
      change: await nextChange(db, 1),
    })
    .where('id', '=', id)
    .where('state', '=', 'pending')
    .where((is) => is.or([is('expires_at', 'is', null), is('expires_at', '>', now)]))
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? null : toStored(row).approval;
}

/** Nobody has to decide them any more. @returns those that were pending */
export async function cancelApprovalsOfTurn(db: Db, turnId: string, now: string): Promise<Approval[]> {
  const open = await db
    .selectFrom('approvals')
    .select('id')
    .where('turn_id', '=', turnId)
    .where(pending)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return closeAll(db, open, { state: 'cancelled', now });
}

/** @returns it, where it was pending */
export async function cancelApproval(db: Db, id: string, now: string): Promise<Approval[]> {
  const open = await db.selectFrom('approvals').select('id').where('id', '=', id).where(pending).execute();
  return closeAll(db, open, { state: 'cancelled', now });
}

/** What tools asked that ran when the process ended. */
export async function cancelQuestionsOfTurn(db: Db, turnId: string, now: string): Promise<void> {
  const open = await db
    .selectFrom('approvals')
    .select('id')
    .where('turn_id', '=', turnId)
    .where('kind', '=', 'question')
    .where(pending)
    .execute();
  await closeAll(db, open, { state: 'cancelled', now });
}

/** @returns those whose time was over */
export async function expireApprovals(db: Db, now: string): Promise<Approval[]> {
  const due = await db
    .selectFrom('approvals')
    .select('id')
    .where(pending)
    .where('expires_at', '<=', now)
    .orderBy('expires_at')
    .orderBy('id')
    .execute();
  return closeAll(db, due, { state: 'expired', now });
}

/** When the next one is over; null: none. */
export async function findNextExpiry(db: Db): Promise<string | null> {
  const row = await db
    .selectFrom('approvals')
    .select('expires_at')
    .where(pending)
    .where('expires_at', 'is not', null)
    .orderBy('expires_at')
    .limit(1)
    .executeTakeFirst();
  return row?.expires_at ?? null;
}

async function closeAll(
  db: Db,
  open: readonly { readonly id: string }[],
  { state, now }: { readonly state: 'expired' | 'cancelled'; readonly now: string },
): Promise<Approval[]> {
  if (open.length === 0) return [];
  let change = await nextChange(db, open.length);
  const closed: Approval[] = [];
  for (const { id } of open) {
    const row = await db
      .updateTable('approvals')
      .set({ state, decided_at: now, change })
      .where('id', '=', id)
      .where('state', '=', 'pending')
      .returningAll()
      .executeTakeFirst();
    change += 1;
    // Somebody has decided it at the same moment.
    if (row === undefined) continue;
    closed.push(toStored(row).approval);
  }
  return closed;
}
