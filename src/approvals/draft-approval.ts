// What is asked, made into a row: who may decide how, and until when.
import type {
  Approval,
  ApprovalKind,
  ApprovalQuestion,
  DecisionName,
  GrantScope,
} from '../contract/approval.ts';
import { formatMicroseconds } from '../kit/clock.ts';
import type { NewApprovalRow } from '../store/approvals.ts';
import type { JsonSchema } from '../tools/tool.ts';

/** A question to a person, before it has an id. What is left out is null. */
export interface NewApproval {
  readonly kind: ApprovalKind;
  /** In which the person is. */
  readonly sessionId: string;
  /** The turn that waits. */
  readonly turnId: string;
  readonly messageId?: string;
  readonly callIndex?: number;
  readonly toolCallId?: string;
  readonly toolName?: string;
  /** By which rules know the tool; where left out, by its name. */
  readonly policyName?: string;
  readonly agentName?: string;
  readonly agentSessionId?: string;
  /** With which it would run. */
  readonly arguments?: Readonly<Record<string, unknown>>;
  /** Of the arguments, whole. */
  readonly inputSchema?: JsonSchema;
  readonly digest?: string;
  /** Of the tool. */
  readonly fingerprint?: string;
  /** Why it is asked. */
  readonly rule: string;
  /** `question`. */
  readonly question?: ApprovalQuestion;
  /** `plan`. */
  readonly plan?: string;
  /** `outcome`. */
  readonly previous?: NonNullable<Approval['previous']>;
}

const DECISIONS_OF: Readonly<Record<ApprovalKind, readonly DecisionName[]>> = {
  tool: ['approve', 'edit', 'respond', 'deny'],
  outcome: ['retry', 'respond', 'deny'],
  question: ['respond', 'deny'],
  plan: ['approve', 'edit', 'deny'],
};

interface Birth {
  readonly id: string;
  readonly createdAt: string;
  /** Null: it waits for as long as it takes. */
  readonly timeoutMs: number | null;
}

export function draftApproval(asked: NewApproval, { id, createdAt, timeoutMs }: Birth): NewApprovalRow {
  const { kind, rule } = asked;
  return {
    confirmation_id: id,
    kind,
    session_id: asked.sessionId,
    turn_id: asked.turnId,
    message_id: asked.messageId ?? null,
    call_index: asked.callIndex ?? null,
    tool_call_id: asked.toolCallId ?? null,
    tool_name: asked.toolName ?? null,
    policy_name: asked.policyName ?? asked.toolName ?? null,
    agent_name: asked.agentName ?? null,
    agent_session_id: asked.agentSessionId ?? null,
    arguments: asked.arguments ?? null,
    input_schema: asked.inputSchema ?? null,
    digest: asked.digest ?? null,
    fingerprint: asked.fingerprint ?? null,
    rule,
    question: asked.question ?? null,
    plan: asked.plan ?? null,
    previous: asked.previous ?? null,
    allowed_decisions: [...DECISIONS_OF[kind]],
    allowed_scopes: scopesOf(kind, rule),
    created_at: createdAt,
    expires_at: timeoutMs === null ? null : later(createdAt, timeoutMs),
  };
}

/** What the operator wants to be asked, and what may happen twice, is asked each time. */
function scopesOf(kind: ApprovalKind, rule: string): GrantScope[] {
  const isAskedEachTime = kind !== 'tool' || rule.startsWith('ask: ') || rule === 'unknown_outcome';
  return isAskedEachTime ? ['once'] : ['once', 'session', 'always'];
}

function later(instant: string, milliseconds: number): string {
  return formatMicroseconds((Date.parse(instant) + milliseconds) * 1000);
}
