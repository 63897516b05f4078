// The calls of one answer, and what is to become of each: decided before any of them runs, and stored with them.
import { setImmediate } from 'node:timers/promises';
import type { NewApproval } from '../../approvals/draft-approval.ts';
import type { EngineToolCall } from '../../contract/engine.ts';
import type { CallPlan } from '../../store/tool-calls.ts';
import { listUnknownDigests } from '../../store/tool-executions.ts';
import { listGrants } from '../../store/tool-grants.ts';
import { isClientTool } from '../../tools/client-tools.ts';
import type { SessionPolicy } from '../../tools/policy/decide-call.ts';
import type { PreparedCall, ReadyCall } from '../../tools/prepare-call.ts';
import type { TurnDeps } from '../turn-deps.ts';
import { isRepeated, type LastRun } from './repetition.ts';
import type { RunningTurn, TurnProgress } from './turn-progress.ts';

/** Calls of one answer that may run; those beyond are answered. */
export const MAX_RUN_CALLS = 128;
/** Prepared before others have a turn. */
const CALLS_AT_ONCE = 8;

/** Rules of ours, beside those of the policy. */
export const RULES = { tooMany: 'too_many_calls', repeated: 'repeated' } as const;

export interface PlannedCall {
  readonly call: EngineToolCall;
  readonly name: string;
  /** With which it would run. */
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly plan: CallPlan;
  /** Null: it cannot run. */
  readonly ready: ReadyCall | null;
}

export async function planRound(
  { db, tools }: Pick<TurnDeps, 'db' | 'tools'>,
  turn: RunningTurn,
  progress: TurnProgress,
  policy: SessionPolicy,
): Promise<PlannedCall[]> {
  const { sessionId } = turn.person;
  const standing = {
    // What this very prompt has offered, whatever the session names.
    offer: { tools: progress.plan?.tools ?? [], missing: [] },
    session: policy,
    grants: await listGrants(db, sessionId),
    unknownDigests: await listUnknownDigests(db, turn.live.sessionId),
  };
  const calls: PlannedCall[] = [];
  let { lastRun } = progress;
  for (const [callIndex, call] of (progress.draft?.toolCalls ?? []).entries()) {
    const prepared = tools.prepare(call, standing);
    const planned = { call, ...planOf(prepared, { callIndex, lastRun }) };
    calls.push(planned);
    if (planned.plan.digest !== lastRun?.digest) lastRun = null;
    // Checking arguments takes this thread: others have a turn in between.
    if (callIndex % CALLS_AT_ONCE === CALLS_AT_ONCE - 1) await setImmediate();
  }
  return calls;
}

function planOf(
  prepared: PreparedCall,
  { callIndex, lastRun }: { readonly callIndex: number; readonly lastRun: LastRun | null },
): Omit<PlannedCall, 'call'> {
  const { name, arguments: args, verdict } = prepared;
  const refused = (rule: string) =>
    ({
      name,
      arguments: args,
      plan: { verdict: 'refuse', rule, digest: null, repairs: [] },
      ready: null,
    }) as const;
  if (callIndex >= MAX_RUN_CALLS) return refused(RULES.tooMany);
  if ('text' in prepared) return refused(verdict.rule);
  // Nobody is asked about what would not be run then.
  if (verdict.decision === 'ask' && isRepeated(lastRun, prepared)) return refused(RULES.repeated);
  const { digest, repairs } = prepared;
  const decided = isClientTool(prepared.tool) ? 'client' : prepared.verdict.decision;
  const plan = { verdict: decided, rule: verdict.rule, digest, repairs } as const;
  return { name, arguments: args, plan, ready: { ...prepared, verdict: prepared.verdict } };
}

/** What a person is asked before the round runs. @param messageId of the assistant message with the calls */
export function questionsOf(
  turn: RunningTurn,
  messageId: string,
  calls: readonly PlannedCall[],
): NewApproval[] {
  return calls.flatMap(({ call, name, arguments: args, plan, ready }, callIndex) => {
    if (plan.verdict !== 'ask' || ready === null) return [];
    const { tool, digest } = ready;
    return [
      {
        kind: 'tool' as const,
        ...turn.person,
        turnId: turn.live.turnId,
        messageId,
        callIndex,
        toolCallId: call.id,
        toolName: name,
        policyName: tool.policyName,
        arguments: args,
        inputSchema: tool.inputSchema,
        digest,
        fingerprint: tool.fingerprint,
        rule: plan.rule,
      },
    ];
  });
}
