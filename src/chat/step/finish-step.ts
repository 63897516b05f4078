// How a model call ends in the store: a finished answer, a request for tools, or a failure with its part.
// Each is one transaction, so that no restart finds a half of it.
import type { NewApproval } from '../../approvals/draft-approval.ts';
import type { Approval } from '../../contract/approval.ts';
import type { ContextReceipt, ContextWindowInfo } from '../../contract/context-window.ts';
import type { EngineUsage } from '../../contract/engine.ts';
import type { MochiError } from '../../contract/errors.ts';
import type { ErrorObject, FinalTurnState } from '../../contract/turn.ts';
import type { Db } from '../../store/database.ts';
import type { PathPlace } from '../../store/path-place.ts';
import { type SessionChange, updateSession } from '../../store/sessions.ts';
import { changeTurn, TurnLost } from '../../store/tenure.ts';
import { saveTokenRatio } from '../../store/token-ratios.ts';
import { insertToolCalls } from '../../store/tool-calls.ts';
import { finishTurn } from '../../store/turns.ts';
import { noteTurnSettings } from '../../store/waiting-turns.ts';
import type { TurnDeps } from '../turn-deps.ts';
import { shownArguments } from '../watch/shown-arguments.ts';
import { answerOpenCalls } from './answer-open-calls.ts';
import type { Draft } from './draft.ts';
import { markAnswer } from './mark-answer.ts';
import { addUsage, learnRatio, measured } from './measure-call.ts';
import { type PlannedCall, questionsOf } from './plan-round.ts';
import { leavesNothing, takeBackMessage, takenBack } from './take-back.ts';
import type { TurnEnding } from './turn-ending.ts';
import type { RunningTurn, TurnProgress } from './turn-progress.ts';
import { toTurnSettings } from './turn-settings.ts';
import { windowChange, windowInfo } from './window-change.ts';

/** The events that follow the last one in the log when a turn's row is closed: the answer or the error, and `done`. */
export const CLOSING_EVENTS = 2;

export interface FinishedAnswer {
  readonly contextWindow: ContextWindowInfo;
  readonly receipt: ContextReceipt;
}

/** The answer and the end of the turn. A failure here is one of its content: the text is kept whole. */
export async function finishAnswer(
  deps: TurnDeps,
  turn: RunningTurn,
  progress: TurnProgress,
  end: { readonly usage: EngineUsage; readonly failure: MochiError | null; readonly ending: TurnEnding },
): Promise<FinishedAnswer> {
  const { session, live } = turn;
  const { usage, failure, ending } = end;
  const draft = requireDraft(progress);
  progress.usage = addUsage(progress.usage, usage);
  const receipt = measured(deps, progress, { draft, usage });
  const ratio = learnRatio(deps, progress, usage);
  const info = windowInfo(session.context_window, receipt, usage);
  const finishedAt = deps.now();
  await changeTurn(deps.db, live, async (transaction) => {
    await storeDraft(transaction, draft, usage, {
      updated_at: finishedAt,
      ...(progress.mark && { promptMark: progress.mark }),
      ...(await windowChange(transaction, session, info, finishedAt)),
    });
    progress.messageId = draft.options.messageId;
    if (ratio !== null) await saveTokenRatio(transaction, session.model, ratio);
    if (failure !== null) return draft.note(transaction);
    await markAnswer(transaction, turn, progress.messageId);
    await deps.background.answered(transaction, session);
    await finishTurn(transaction, live.turnId, {
      state: 'completed',
      finishedAt,
      error: null,
      messageId: progress.messageId,
      usage: progress.usage,
      context: receipt,
      lastEventId: live.lastEventId + ending.events.length + CLOSING_EVENTS,
    });
    await ending.store?.(transaction);
  });
  progress.draft = null;
  return { contextWindow: info, receipt };
}

/**
 * The assistant message, its calls with what is to become of each, and what a person is asked about them: stored before
 * any of them runs, and before anything of it is told. The tip is at the message then.
 */
export async function finishToolRequest(
  deps: TurnDeps,
  turn: RunningTurn,
  progress: TurnProgress,
  {
    usage,
    calls,
    asks,
    more = [],
  }: {
    readonly usage: EngineUsage;
    readonly calls: readonly PlannedCall[];
    /** Whether a person is asked about those that need it. */
    readonly asks: boolean;
    /** What a person is asked besides. */
    readonly more?: readonly NewApproval[];
  },
): Promise<void> {
  const draft = requireDraft(progress);
  const { sessionId, messageId } = draft.options;
  progress.usage = addUsage(progress.usage, usage);
  measured(deps, progress, { draft, usage });
  progress.rounds += 1;
  const { place, approvals } = await changeTurn(deps.db, turn.live, async (transaction) => {
    // A checkpoint has said it already.
    if (draft.place === null) await draft.note(transaction);
    const stored = await storeDraft(transaction, draft, usage);
    const asked = calls.map(({ call, name, arguments: args, plan }) => ({
      ...call,
      meant: { name, arguments: args },
      plan,
    }));
    await insertToolCalls(transaction, { sessionId, messageId }, asked);
    const questions = [...(asks ? questionsOf(turn, messageId, calls) : []), ...more];
    const approvals = await deps.approvals.insert(transaction, questions);
    await noteTurnSettings(transaction, turn.live.turnId, toTurnSettings(turn, progress));
    return { place: stored, approvals };
  });
  progress.messageId = messageId;
  progress.tip = place;
  progress.draft = null;
  deps.approvals.announce(approvals);
}

/**
 * The part of the answer, if there is one, and the error. Never throws: the client is told in any case.
 * @returns the error as it is told and stored, with the ids involved
 */
export async function finishFailed(
  deps: TurnDeps,
  turn: RunningTurn,
  progress: TurnProgress,
  end: { readonly state: FinalTurnState; readonly failure: MochiError; readonly ending: TurnEnding },
): Promise<ErrorObject> {
  const { live } = turn;
  const { draft } = progress;
  const hasPart = draft !== null && !draft.isEmpty;
  let { failure } = end;
  try {
    // A checkpoint that failed is what the turn failed with; the last write below may still succeed.
    await draft?.close();
    let cancelled: Approval[] = [];
    failure = await changeTurn(deps.db, live, async (transaction) => {
      cancelled = await deps.approvals.cancelOfTurn(transaction, live.turnId);
      await answerOpenCalls({ ...deps, db: transaction }, live.sessionId);
      if (hasPart) await storePart(transaction, draft);
      if (hasPart) await markAnswer(transaction, turn, draft.options.messageId);
      const isTakenBack =
        leavesNothing(turn, progress, failure) && (await takeBackMessage(transaction, turn));
      const told = isTakenBack ? takenBack(failure) : failure;
      const { mark } = progress;
      if (mark !== turn.session.promptMark && mark !== null && !isTakenBack) {
        await updateSession(transaction, live.sessionId, { promptMark: mark });
      }
      await finishTurn(transaction, live.turnId, {
        state: end.state,
        finishedAt: deps.now(),
        error: failureData(turn, told, hasPart ? draft.options.messageId : progress.messageId),
        messageId: hasPart ? draft.options.messageId : progress.messageId,
        usage: progress.usage,
        context: progress.receipt,
        lastEventId: live.lastEventId + end.ending.events.length + CLOSING_EVENTS,
        isTakenBack,
      });
      await end.ending.store?.(transaction);
      return told;
    });
    deps.approvals.announce(cancelled);
    if (hasPart) progress.messageId = draft.options.messageId;
  } catch (error) {
    if (error instanceof TurnLost) throw error;
    deps.log.error({ err: error, turn_id: live.turnId }, 'the end of a turn could not be stored');
  }
  return failureData(turn, failure, progress.messageId);
}

/** The error as it is told: with the ids involved. */
function failureData({ live }: RunningTurn, failure: MochiError, messageId: string | null): ErrorObject {
  const { code, message, details } = failure.toBody();
  return {
    code,
    message,
    details: {
      ...details,
      session_id: live.sessionId,
      turn_id: live.turnId,
      ...(messageId !== null && { message_id: messageId }),
    },
  };
}

function requireDraft({ draft }: TurnProgress): Draft {
  if (draft === null) throw new Error('No model call is open.');
  return draft;
}

/** @param also what changes in the session's row with it */
async function storeDraft(
  db: Db,
  draft: Draft,
  usage: EngineUsage,
  also: SessionChange = {},
): Promise<PathPlace> {
  const { toolCalls, finishReason, place } = draft;
  const end = {
    status: 'complete',
    evalCount: usage.outputTokens,
    promptEvalCount: usage.promptTokens,
    finishReason,
    ...(toolCalls.length > 0 && {
      toolCalls: toolCalls.map((call) => ({
        function: { name: call.name, arguments: shownArguments(call) },
      })),
    }),
  } as const;
  if (place === null) return draft.append(db, end, also);
  if (!(await draft.update(db, end))) {
    await draft.note(db);
    return draft.append(db, end, also);
  }
  if (Object.keys(also).length > 0) await updateSession(db, draft.options.sessionId, also);
  return place;
}

async function storePart(db: Db, draft: Draft): Promise<void> {
  const end = { status: 'partial' } as const;
  if (draft.place === null || !(await draft.update(db, end))) await draft.append(db, end);
}
