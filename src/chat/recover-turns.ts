// After a crash or a kill: turns that were under way are closed, and what they left is made whole again.
import { MochiError, TRY_AGAIN } from '../contract/errors.ts';
import type { ErrorObject, FinalTurnState } from '../contract/turn.ts';
import { changeSession } from '../store/lock-session.ts';
import { closeLostExecutions } from '../store/lost-executions.ts';
import { findAnswerOfTurn, markStreamingPartial } from '../store/messages.ts';
import { listOpenMessages } from '../store/open-messages.ts';
import { cancelApprovalsOfTurn } from '../store/settle-approvals.ts';
import { changeTurn, type Tenure } from '../store/tenure.ts';
import { dropRequest, finishTurn, listUnfinishedTurns, type UnfinishedTurn } from '../store/turns.ts';
import { type AskDeps, askOutcomes } from './ask-outcomes.ts';
import { closeAgentCall } from './close-agent-call.ts';
import { placeQueuedMessage } from './place-message.ts';
import { answerOpenCalls, type CutBy, cutRuns } from './step/answer-open-calls.ts';
import { wordForRun } from './stop-reasons.ts';
import type { TurnDeps } from './turn-deps.ts';

/**
 * Watchers may have seen events after the last checkpoint: the closing ones get numbers beyond any of those,
 * so that whoever reconnects is told the end, once.
 */
export const EVENT_GAP = 1_000_000;

const CANCELLED = { reason: 'cancelled' } as const;

type CloseDeps = Pick<TurnDeps, 'db' | 'newId' | 'now'>;

export type RecoverDeps = CloseDeps & AskDeps;

interface RecoveredTurns {
  /** As interrupted. */
  readonly closed: number;
  /** Wait to be told what became of their tools. */
  readonly asked: number;
}

/**
 * Before the server serves. Turns that wait for a person wait on, and so do the messages of those that stood behind them;
 * those in which a tool ran wait to be told what became of it.
 */
export async function recoverTurns(deps: RecoverDeps): Promise<RecoveredTurns> {
  const asked = await askOutcomes(deps, EVENT_GAP, null);
  const turns = await listUnfinishedTurns(deps.db);
  const left = runsFirst(turns.filter((turn) => turn.state !== 'waiting' || isLeftAlone(turn, turns)));
  const waiting = new Set(turns.filter((turn) => !left.includes(turn)).map(({ sessionId }) => sessionId));
  for (const turn of left) {
    await closeInterrupted(deps, turn, { isBehind: waiting.has(turn.sessionId), tenure: null, wanted: null });
  }
  const open = new Set((await listOpenMessages(deps.db)).map(({ sessionId }) => sessionId));
  for (const sessionId of open) {
    if (waiting.has(sessionId)) continue;
    await changeSession(deps.db, sessionId, (db) => placeOpenMessages({ ...deps, db }, sessionId));
  }
  await closeLostExecutions(
    deps.db,
    { before: deps.bootId },
    { ...cutRuns('the server stopped'), finishedAt: deps.now() },
  );
  return { closed: left.length, asked };
}

/** A run of an agent that waits, and whose parent does not: nobody goes on with it. @param all that have no end */
export function isLeftAlone({ state, run }: UnfinishedTurn, all: readonly UnfinishedTurn[]): boolean {
  const { parent = null } = run ?? {};
  if (state !== 'waiting' || parent === null) return false;
  return !all.some((turn) => turn.id === parent.turnId && turn.state === 'waiting');
}

/** Runs of agents before the turns that have started them. */
export function runsFirst<T extends Pick<UnfinishedTurn, 'run'>>(turns: readonly T[]): T[] {
  return turns.toSorted((one, other) => Number(isNested(other)) - Number(isNested(one)));
}

function isNested({ run }: Pick<UnfinishedTurn, 'run'>): boolean {
  return run?.parent != null;
}

/**
 * Its process is gone.
 * @param isBehind another turn holds its session: its message stays in its row until that has ended
 * @param wanted why it was to stop before that: it ends with this; null: nobody wanted it to
 * @throws TurnLost
 */
export async function closeInterrupted(
  deps: CloseDeps,
  turn: UnfinishedTurn,
  {
    isBehind,
    tenure,
    wanted,
  }: { readonly isBehind: boolean; readonly tenure: Tenure | null; readonly wanted: MochiError | null },
): Promise<void> {
  const fact =
    turn.run === null
      ? 'The server stopped while the turn was running.'
      : 'The server stopped while the agent worked.';
  const failure = wanted ?? new MochiError('turn_interrupted', fact, {}, TRY_AGAIN);
  const told = turn.run === null ? failure : wordForRun(failure);
  const state = wanted === null ? 'interrupted' : 'cancelled';
  const end = { state, failure: told, cutBy: 'the server stopped' } as const;
  await changeTurn(deps.db, { turnId: turn.id, sessionId: turn.sessionId, tenure }, async (db) => {
    const close = isBehind ? closeInLine : closeLeftTurn;
    await close({ ...deps, db }, turn, end);
    const runEnd = wanted === null ? ({ reason: 'interrupted', message: fact } as const) : CANCELLED;
    await closeAgentCall({ ...deps, db }, turn, runEnd);
  });
}

/** What turns were asked that were cancelled in line, of sessions in which nothing runs or waits. */
export async function placeLeftMessages(deps: CloseDeps): Promise<void> {
  const open = new Set((await listOpenMessages(deps.db)).map(({ sessionId }) => sessionId));
  for (const sessionId of open) {
    await changeSession(deps.db, sessionId, async (db) => {
      if ((await listUnfinishedTurns(db, sessionId)).length === 0)
        await placeOpenMessages({ ...deps, db }, sessionId);
    });
  }
}

/** What turns of a session were asked that were cancelled in line, and had not come to their place. */
async function placeOpenMessages(deps: CloseDeps, sessionId: string): Promise<void> {
  for (const open of await listOpenMessages(deps.db, sessionId)) {
    const head = await answerOpenCalls(deps, sessionId);
    await placeQueuedMessage(deps, head, open);
    await dropRequest(deps.db, open.turnId);
  }
}

/**
 * Turns of a session whose end could not be stored, as on a full disk: nothing runs in them any more.
 * Inside the caller's transaction.
 */
export async function closeLeftTurns(
  deps: CloseDeps,
  sessionId: string,
  living: readonly string[],
): Promise<void> {
  const failure = new MochiError(
    'session_save_error',
    'The end of the turn could not be stored when it came.',
    {},
    TRY_AGAIN,
  );
  for (const turn of await listUnfinishedTurns(deps.db, sessionId)) {
    if (living.includes(turn.id)) continue;
    const told = turn.run === null ? failure : wordForRun(failure);
    await closeLeftTurn(deps, turn, { state: 'failed', failure: told });
  }
}

/**
 * A session that was exported while a turn ran: nothing runs in it here. Inside the caller's transaction.
 */
export async function closeImportedTurns(deps: CloseDeps, sessionId: string): Promise<void> {
  const failure = new MochiError('turn_interrupted', 'The session was exported while the turn was running.');
  for (const turn of await listUnfinishedTurns(deps.db, sessionId)) {
    await closeLeftTurn(deps, turn, { state: 'interrupted', failure });
  }
  await placeOpenMessages(deps, sessionId);
  await answerOpenCalls(deps, sessionId);
  await closeLostExecutions(deps.db, { sessionId }, { ...cutRuns('the turn ended'), finishedAt: deps.now() });
}

type LeftTurn = Omit<UnfinishedTurn, 'state' | 'run'>;

interface LeftEnd {
  readonly state: FinalTurnState;
  readonly failure: MochiError;
  /** What cut its runs of tools; missing: its own end. */
  readonly cutBy?: CutBy;
}

/** One that stood in line behind a turn that goes on: its message stays in its row until that has ended. */
async function closeInLine({ db, now }: CloseDeps, turn: LeftTurn, end: LeftEnd): Promise<void> {
  await finishTurn(db, turn.id, {
    state: end.state,
    finishedAt: now(),
    error: errorOf(turn, end),
    messageId: null,
    usage: null,
    lastEventId: turn.lastEventId + EVENT_GAP,
    isMessageOpen: turn.request !== null,
  });
}

function errorOf({ id, sessionId }: LeftTurn, { failure }: LeftEnd): ErrorObject {
  const { code, message, details } = failure.toBody();
  return { code, message, details: { ...details, session_id: sessionId, turn_id: id } };
}

/** Makes whole what a turn left and closes it: parts, calls without a result, a message that waited in line. */
export async function closeLeftTurn(deps: CloseDeps, turn: LeftTurn, end: LeftEnd): Promise<void> {
  const { db, now } = deps;
  const { sessionId, request, messageId } = turn;
  await cancelApprovalsOfTurn(db, turn.id, now());
  if (messageId !== null) await markStreamingPartial(db, sessionId, messageId);
  const head = await answerOpenCalls(deps, sessionId, end.cutBy);
  if (request !== null)
    await placeQueuedMessage(deps, head, { turnId: turn.id, sessionId, message: request });
  await finishTurn(db, turn.id, {
    state: end.state,
    finishedAt: now(),
    error: errorOf(turn, end),
    messageId: await findAnswerOfTurn(db, sessionId, turn.id),
    usage: null,
    lastEventId: turn.lastEventId + EVENT_GAP,
  });
}
