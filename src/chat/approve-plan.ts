// The gate of an agent: a person approves its plan, writes another one, or denies it.
import type { NewApproval } from '../approvals/draft-approval.ts';
import type { Approval } from '../contract/approval.ts';
import { MochiError } from '../contract/errors.ts';
import type { TurnEvent } from '../contract/turn-event.ts';
import { digestOf } from '../kit/digest.ts';
import { appendToPath } from '../store/active-path.ts';
import { changeTurn } from '../store/tenure.ts';
import type { AgentRun } from './agent-run.ts';
import { awaitDecision, goOn } from './step/await-decision.ts';
import type { RunningTurn, TurnProgress } from './step/turn-progress.ts';
import { WAIT_FOR_IT } from './stop-reasons.ts';
import type { TurnDeps } from './turn-deps.ts';

/** Before the plan of a person. */
export const PLAN_INSTEAD = 'Use this plan instead:\n';

/** Why a run has ended, in its error. */
export const PLAN_DENIED = 'plan_denied';

interface Planned {
  readonly deps: TurnDeps;
  readonly turn: RunningTurn;
  readonly progress: TurnProgress;
  readonly run: AgentRun;
}

/** About the plan that has just been made. */
export function planQuestion({ turn, progress, run }: Planned): NewApproval {
  const plan = progress.draft?.content ?? '';
  const asked = { agent: run.agent.name, plan };
  return {
    kind: 'plan',
    sessionId: turn.person.sessionId,
    agentName: run.agent.name,
    agentSessionId: run.place.chatId,
    turnId: turn.live.turnId,
    ...(progress.draft !== null && { messageId: progress.draft.options.messageId }),
    toolName: 'agent',
    arguments: asked,
    digest: digestOf(asked),
    rule: 'plan',
    plan,
  };
}

/** @param messageId of the plan. @throws MochiError turn_cancelled when it is denied; TurnSuspended; what aborts it */
export async function* awaitPlan(
  planned: Planned,
  messageId: string,
): AsyncGenerator<readonly TurnEvent[], void> {
  const { deps, turn, run } = planned;
  const { live } = turn;
  const find = async () => {
    const asked = await deps.approvals.ofTurn(deps.db, live.turnId);
    return asked.findLast(({ kind, message_id }) => kind === 'plan' && message_id === messageId) ?? null;
  };
  let approval = await find();
  if (approval?.state === 'pending') {
    const { confirmation_id: id, arguments: args } = approval;
    yield* awaitDecision(
      deps,
      turn,
      {
        call: { id: run.place.callId ?? id, name: 'agent', arguments: args ?? {} },
        callIndex: run.place.callIndex ?? 0,
        name: 'agent',
        arguments: args ?? {},
        approval,
        hasBegun: false,
        isEdited: false,
        plan: { undecided: approval },
      },
      run.resumed !== null,
    );
    live.signal.throwIfAborted();
    yield* goOn(deps, turn);
    approval = await find();
  }
  live.signal.throwIfAborted();
  if (approval !== null && approval.state !== 'approved') throw denied(approval, run);
  const content = approval?.decision?.content;
  if (typeof content === 'string' && content.trim() !== '') await appendPlan(planned, content);
}

/** A request that waits for nobody. */
export function planUnasked(agent: string): MochiError {
  return new MochiError(
    'tool_confirmation_requires_streaming',
    `The plan of the agent ${agent} needs an approval, and a plain answer does not wait for one: nothing of it was done.`,
    { tools: ['agent'] },
    WAIT_FOR_IT,
  );
}

function denied({ state, decision }: Approval, { agent }: AgentRun): MochiError {
  const how = state === 'expired' ? 'was not approved in time' : 'was denied by user';
  const reason = decision?.reason == null ? '.' : `: ${decision.reason}`;
  return new MochiError('turn_cancelled', `The plan of the agent ${agent.name} ${how}${reason}`, {
    reason: PLAN_DENIED,
  });
}

/** The person's plan takes the place of the agent's: it comes last. */
async function appendPlan({ deps, turn, progress }: Planned, content: string): Promise<void> {
  const { sessionId, turnId } = turn.live;
  progress.tip = await changeTurn(deps.db, turn.live, (db) =>
    appendToPath(db, progress.tip, {
      sessionId,
      id: deps.newId(10),
      role: 'user',
      content: `${PLAN_INSTEAD}${content}`,
      timestamp: deps.now(),
      status: 'complete',
      turnId,
    }),
  );
}
