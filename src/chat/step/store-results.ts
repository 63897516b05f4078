// Results of calls on their way into the store: messages on the path, calls that are done, and the journal.
import { setImmediate } from 'node:timers/promises';
import type { Approval } from '../../contract/approval.ts';
import { appendToPath } from '../../store/active-path.ts';
import type { Db } from '../../store/database.ts';
import type { PathPlace } from '../../store/path-place.ts';
import { changeTurn } from '../../store/tenure.ts';
import { answerToolCall } from '../../store/tool-calls.ts';
import { askAgain, type ExecutionEnd, finishExecution } from '../../store/tool-executions.ts';
import type { ToolAsks } from '../../tools/tool.ts';
import type { TurnDeps } from '../turn-deps.ts';
import type { CallResult } from './call-result.ts';
import { questionDraft } from './question-draft.ts';
import type { CallToRun, RoundCall } from './read-round.ts';
import type { RunningTurn, TurnProgress } from './turn-progress.ts';

/** Stored before others have a turn. */
const CALLS_AT_ONCE = 64;

/** The calls of one answer while they are settled. */
export interface Round {
  readonly deps: TurnDeps;
  readonly turn: RunningTurn;
  readonly progress: TurnProgress;
  /** Of the assistant message with the calls. */
  readonly messageId: string;
  /** The call that was asked about last; null: none. */
  askedIndex: number | null;
}

export interface Settled {
  readonly planned: RoundCall;
  readonly result: CallResult;
  /** Null: nothing ran. */
  readonly execution: { readonly id: string; readonly end: ExecutionEnd } | null;
}

/**
 * One transaction: either every call has its result, or none has.
 * @param also in the same transaction. @returns what that returns
 */
export async function storeResults(
  { deps, turn, progress, messageId }: Round,
  settled: readonly Settled[],
  also: (db: Db) => Promise<Approval[]> = async () => [],
): Promise<Approval[]> {
  const stored = await changeTurn(deps.db, turn.live, async (db) => {
    const place = await storeIn(db, { deps, turn, progress, messageId }, settled);
    return { place, approvals: await also(db) };
  });
  progress.tip = stored.place;
  return stored.approvals;
}

/** Inside the caller's transaction. @returns where the last of them lies, once that is committed */
export async function storeIn(
  db: Db,
  { deps, turn, progress, messageId }: Pick<Round, 'deps' | 'turn' | 'progress' | 'messageId'>,
  settled: readonly Settled[],
): Promise<PathPlace> {
  const { sessionId, turnId } = turn.live;
  let place = progress.tip;
  for (const [position, { planned, result, execution }] of settled.entries()) {
    const { call, callIndex, name, isEdited } = planned;
    const id = deps.newId(10);
    place = await appendToPath(db, place, {
      sessionId,
      id,
      role: 'tool',
      content: result.content,
      timestamp: deps.now(),
      status: 'complete',
      toolName: name,
      toolCallId: call.id,
      turnId,
      images: result.images,
    });
    const { success } = result;
    const ranArguments = isEdited ? planned.arguments : null;
    const end = { messageId: id, success, ranArguments };
    await answerToolCall(db, { sessionId, messageId, callIndex }, end);
    if (execution !== null) await finishExecution(db, execution.id, execution.end);
    // The driver is synchronous: many calls must not hold everybody else.
    if (position % CALLS_AT_ONCE === CALLS_AT_ONCE - 1) await setImmediate();
  }
  return place;
}

/** A run has ended with questions: people are asked, and the call waits to be run again with their answers. */
export async function storeQuestions(
  { deps, turn, messageId }: Round,
  planned: CallToRun,
  asked: { readonly executionId: string; readonly end: ExecutionEnd; readonly asks: ToolAsks },
): Promise<void> {
  const { approvals } = deps;
  const { state, questions } = asked.asks;
  const call = { sessionId: turn.live.sessionId, messageId, callIndex: planned.callIndex };
  const inserted = await changeTurn(deps.db, turn.live, async (db) => {
    const drafts = questions.map(({ question }) => questionDraft(turn, { messageId, planned }, question));
    const rows = await approvals.insert(db, drafts);
    const keyed = questions.map(({ key }, index) => ({
      key,
      confirmation_id: rows[index]?.confirmation_id ?? '',
    }));
    await askAgain(db, call, { state, questions: keyed });
    await finishExecution(db, asked.executionId, asked.end);
    return rows;
  });
  approvals.announce(inserted);
}
