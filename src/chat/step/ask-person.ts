// What a tool asks a person while it runs. The run waits, and so does its turn, which keeps its place: when this process
// ends, the run is lost as any other, and nobody needs the answer.
import type { Approval } from '../../contract/approval.ts';
import type { TurnEvent } from '../../contract/turn-event.ts';
import { changeTurn } from '../../store/tenure.ts';
import type { ToolAnswer, ToolQuestion, ToolRunContext } from '../../tools/tool.ts';
import type { TurnDeps } from '../turn-deps.ts';
import { toAnswer } from './person-answer.ts';
import { type QuestionedCall, questionDraft } from './question-draft.ts';
import { shownApprovals } from './shown-approvals.ts';
import { questionEvent } from './told-calls.ts';
import type { RunningTurn } from './turn-progress.ts';

interface AskingCall extends QuestionedCall {
  /** Resolves when the call was told: its questions come after it. */
  readonly told: Promise<void>;
}

/** @returns undefined where nobody is to be asked in this turn */
export function personAsker(
  deps: TurnDeps,
  turn: RunningTurn,
  call: AskingCall,
): ToolRunContext['askPerson'] {
  if (turn.request.onApproval === 'fail') return undefined;
  return async (question, signal) => {
    const wanted = AbortSignal.any([turn.live.signal, signal]);
    try {
      await call.told;
      return await askPerson(deps, turn, call, { question, wanted });
    } catch (error) {
      deps.log.error({ err: error, turn_id: turn.live.turnId }, 'a question of a tool could not be asked');
      return { action: 'cancel' };
    }
  };
}

interface Asking {
  readonly question: ToolQuestion;
  readonly wanted: AbortSignal;
}

async function askPerson(
  deps: TurnDeps,
  turn: RunningTurn,
  call: AskingCall,
  { question, wanted }: Asking,
): Promise<ToolAnswer> {
  const { approvals, db } = deps;
  const { live } = turn;
  if (wanted.aborted) return { action: 'cancel' };
  const asked = await changeTurn(db, live, (transaction) =>
    approvals.insert(transaction, [questionDraft(turn, call, question)]),
  );
  const [approval] = asked;
  if (approval === undefined) return { action: 'cancel' };
  const settled = Promise.withResolvers<void>();
  const look = async () => {
    if ((await find(deps, approval)).state !== 'pending') settled.resolve();
  };
  const stopListening = approvals.onSettled(live.turnId, () => void look().catch(settled.reject));
  const giveUp = () => settled.resolve();
  wanted.addEventListener('abort', giveUp, { once: true });
  try {
    approvals.announce(asked);
    live.append(askingEvents(call, approval));
    // A new message may go first, as before any turn that waits for a person whom nobody has in sight.
    setWaiting(turn, true);
    if (!wanted.aborted) await settled.promise;
    // Nobody waits for the answer any more, where there is none.
    await approvals.withdraw(approval.confirmation_id);
    if (!live.signal.aborted) live.append([{ event: 'status', data: { phase: 'running_tool' } }]);
    return toAnswer(await find(deps, approval));
  } finally {
    setWaiting(turn, false);
    stopListening();
    wanted.removeEventListener('abort', giveUp);
  }
}

function setWaiting({ live, parent }: RunningTurn, isWaiting: boolean): void {
  live.isWaiting = isWaiting;
  if (parent !== null) parent.isWaiting = isWaiting;
}

async function find({ approvals, db }: TurnDeps, { turn_id, confirmation_id }: Approval): Promise<Approval> {
  const found = (await approvals.ofTurn(db, turn_id)).find((one) => one.confirmation_id === confirmation_id);
  if (found === undefined) throw new Error(`Approval ${confirmation_id} is gone.`);
  return found;
}

function askingEvents({ planned }: AskingCall, approval: Approval): TurnEvent[] {
  const phase = 'waiting_for_approval';
  return [
    { event: 'status', data: { phase, approvals: shownApprovals([approval]) } },
    questionEvent(planned, approval),
  ];
}
