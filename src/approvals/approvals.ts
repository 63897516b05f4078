// Questions to people: asked inside of the transaction that needs them, decided once, by whoever comes first.
import type { Approval } from '../contract/approval.ts';
import { invalidField, MochiError } from '../contract/errors.ts';
import type { Log } from '../kit/log.ts';
import { cutText } from '../kit/whole-characters.ts';
import {
  type ApprovalFilter,
  findApproval,
  insertApprovals,
  listApprovals,
  listApprovalsOfTurn,
  lockApprovals,
  type StoredApproval,
} from '../store/approvals.ts';
import type { Db } from '../store/database.ts';
import { patientDb } from '../store/durable.ts';
import {
  cancelApproval,
  cancelApprovalsOfTurn,
  expireApprovals,
  findNextExpiry,
  settleApproval,
} from '../store/settle-approvals.ts';
import { insertGrant } from '../store/tool-grants.ts';
import type { Tools } from '../tools/tools.ts';
import { ChangeFeed } from './change-feed.ts';
import { draftApproval, type NewApproval } from './draft-approval.ts';
import { ExpiryTimer } from './expiry-timer.ts';
import { type ApprovalDecision, judgeDecision, letsRun } from './judge-decision.ts';

export interface ApprovalDeps {
  readonly db: Db;
  readonly log: Log;
  readonly tools: Tools;
  /** Null: whoever is asked has all the time. */
  readonly confirmTimeoutMs: number | null;
  /** @param digits even number of hex digits */
  readonly newId: (digits: number) => string;
  /** ISO 8601, UTC, six fraction digits. */
  readonly now: () => string;
}

/** Who decides. */
export interface DecisionOrigin {
  readonly requestId: string | null;
  /** They came as a list: what does not fit says which of them it is. */
  readonly isList?: boolean;
}

/** Has a lifetime: from the start of the server to `close`. */
export class Approvals {
  readonly #deps: ApprovalDeps;
  readonly #feed: ChangeFeed;
  readonly #timer: ExpiryTimer;
  readonly #listeners = new Map<string, Set<() => void>>();

  constructor(deps: ApprovalDeps) {
    this.#deps = deps;
    this.#feed = new ChangeFeed(deps.db);
    this.#timer = new ExpiryTimer(() => void this.#expire());
  }

  /** What became too old while no server ran is over; the next to expire has its timer. */
  async start(): Promise<void> {
    await this.#expire();
  }

  /** Inside of the caller's transaction; to be announced after its commit. */
  async insert(db: Db, drafts: readonly NewApproval[]): Promise<Approval[]> {
    const { newId, now, confirmTimeoutMs: timeoutMs } = this.#deps;
    const rows = drafts.map((draft) =>
      draftApproval(draft, { id: `conf_${newId(12)}`, createdAt: now(), timeoutMs }),
    );
    return insertApprovals(db, rows);
  }

  /** With their decisions, in the order in which they were asked. */
  async ofTurn(db: Db, turnId: string): Promise<Approval[]> {
    return listApprovalsOfTurn(db, turnId);
  }

  /** Nobody has to answer them any more. Inside of the caller's transaction; to be announced after its commit. */
  async cancelOfTurn(db: Db, turnId: string): Promise<Approval[]> {
    return cancelApprovalsOfTurn(db, turnId, this.#deps.now());
  }

  /** Whoever asked does not want the answer any more: nothing happens where there is one. */
  async withdraw(confirmationId: string): Promise<void> {
    const { db, now } = this.#deps;
    // A turn wants it, and cannot be asked to try again.
    const cancelled = await patientDb(db)
      .transaction()
      .execute((transaction) => cancelApproval(transaction, confirmationId, now()));
    this.announce(cancelled);
  }

  /** They are on disk, as they are given: whoever listens is told. Never throws. */
  announce(approvals: readonly Approval[]): void {
    if (approvals.length === 0) return;
    this.#feed.wake();
    if (approvals.some(({ expires_at: end, state }) => end !== null && state === 'pending')) {
      void this.#setTimer();
    }
    const settled = approvals.filter(({ state }) => state !== 'pending');
    for (const turnId of new Set(settled.map((approval) => approval.turn_id))) {
      const listeners = Array.from(this.#listeners.get(turnId) ?? []);
      for (const listener of listeners) listener();
    }
  }

  /** Another server that shares the database has changed some: whoever waits for one looks again. */
  look(): void {
    this.#feed.wake();
    void this.#setTimer();
    for (const listeners of this.#listeners.values()) for (const listener of listeners) listener();
  }

  /**
   * Calls the listener each time when approvals of the turn were decided, have expired or were cancelled; they are on
   * disk then. It must not throw.
   * @returns what ends that
   */
  onSettled(turnId: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(turnId) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(turnId, listeners);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(turnId);
    };
  }

  /** A page of them: see `listApprovals`. */
  async list(filter: ApprovalFilter): Promise<Approval[]> {
    return listApprovals(this.#deps.db, filter);
  }

  /** @throws MochiError confirmation_not_found */
  async find(confirmationId: string): Promise<Approval> {
    return (await requireApproval(this.#deps.db, confirmationId)).approval;
  }

  /**
   * Decides all of them, or none.
   * @throws MochiError confirmation_not_found, approval_decided, approval_expired, approval_changed,
   * decision_not_allowed, validation_error, tool_execution_denied
   */
  async decide(decisions: readonly ApprovalDecision[], origin: DecisionOrigin): Promise<Approval[]> {
    const { db, tools, newId, now } = this.#deps;
    const { requestId, isList = false } = origin;
    refuseRepeated(decisions);
    // Whether a tool has changed can be told when it was found.
    if (decisions.some(letsRun)) await tools.allReady();
    const decided = await db.transaction().execute(async (transaction) => {
      await lockApprovals(transaction);
      const approvals: Approval[] = [];
      for (const [index, given] of decisions.entries()) {
        const stored = await requireApproval(transaction, given.confirmation_id);
        const judge = () => judgeDecision(stored, given, { tools, now: now(), requestId });
        const { settlement, grant } = isList ? inList(judge, given, index) : judge();
        const grantId = grant && (await insertGrant(transaction, { ...grant, id: `grant_${newId(12)}` }));
        const decision = { ...settlement.decision, grant_id: grantId };
        const approval = await settleApproval(transaction, given.confirmation_id, {
          ...settlement,
          decision,
        });
        // Looked at a moment ago, in this very transaction.
        if (approval === null) throw new Error(`Approval ${given.confirmation_id} cannot be settled.`);
        approvals.push(approval);
      }
      return approvals;
    });
    this.announce(decided);
    return decided;
  }

  /**
   * Approvals as they are created and changed, in batches; ends when the signal aborts or the server stops.
   * @param after the number of the last change that was seen; null: those that are pending come first
   * @throws MochiError overloaded
   */
  watch(after: number | null, signal: AbortSignal): AsyncGenerator<readonly StoredApproval[], void> {
    return this.#feed.watch(after, signal);
  }

  /** Nothing expires any more, and nobody is told anything. */
  close(): void {
    this.#timer.close();
    this.#feed.close();
  }

  async #expire(): Promise<void> {
    const { db, now, log } = this.#deps;
    try {
      const expired = await db.transaction().execute((transaction) => expireApprovals(transaction, now()));
      this.announce(expired);
    } catch (error) {
      log.error({ err: error }, 'approvals could not be closed at their time');
    }
    await this.#setTimer();
  }

  async #setTimer(): Promise<void> {
    try {
      this.#timer.set(await findNextExpiry(this.#deps.db));
    } catch (error) {
      this.#deps.log.error({ err: error }, 'the next approval to expire could not be looked for');
    }
  }
}

/** @throws MochiError confirmation_not_found */
async function requireApproval(db: Db, confirmationId: string): Promise<StoredApproval> {
  const stored = await findApproval(db, confirmationId);
  if (stored !== null) return stored;
  const shown = cutText(confirmationId, 64);
  throw new MochiError('confirmation_not_found', `There is no approval ${shown}.`, {
    confirmation_id: shown,
  });
}

/** @throws MochiError what `judge` throws, with the place in the list where it is about a part of the body */
function inList<T>(judge: () => T, { confirmation_id }: ApprovalDecision, index: number): T {
  try {
    return judge();
  } catch (error) {
    if (!(error instanceof MochiError) || error.kind !== 'validation_error') throw error;
    const { errors } = error.details as { readonly errors: readonly { readonly path: string }[] };
    throw new MochiError('validation_error', `${confirmation_id}: ${error.fact}`, {
      confirmation_id,
      errors: errors.map((fault) => ({ ...fault, path: `/decisions/${index}${fault.path}` })),
    });
  }
}

/** @throws MochiError validation_error */
function refuseRepeated(decisions: readonly ApprovalDecision[]): void {
  const seen = new Set<string>();
  for (const [index, { confirmation_id: id }] of decisions.entries()) {
    if (seen.has(id)) throw invalidField(`/decisions/${index}/confirmation_id`, 'must not be there twice');
    seen.add(id);
  }
}
