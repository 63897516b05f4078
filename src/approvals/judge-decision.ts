// Whether an approval can be decided like this, and what then is decided. Nothing is written here.
import type { Approval, DecideInput, Decision, DecisionName } from '../contract/approval.ts';
import { MAX_CONTENT } from '../contract/approval.ts';
import { invalidField, MochiError } from '../contract/errors.ts';
import type { StoredApproval } from '../store/approvals.ts';
import type { Settlement } from '../store/settle-approvals.ts';
import type { StoredGrant } from '../store/tool-grants.ts';
import { checkArguments, checkAsWritten } from '../tools/arguments/check-arguments.ts';
import { deniedText, digestOfCall } from '../tools/prepare-call.ts';
import type { Tools } from '../tools/tools.ts';
import { checkValue } from './check-value.ts';

export type ApprovalDecision = DecideInput & { readonly confirmation_id: string };

export interface Judgement {
  readonly settlement: Settlement;
  /** What is to be remembered; null: nothing. */
  readonly grant: Omit<StoredGrant, 'id'> | null;
}

interface Court {
  readonly tools: Pick<Tools, 'find' | 'denyRuleOf'>;
  readonly now: string;
  /** Of the request. */
  readonly requestId: string | null;
}

const STATE_AFTER = {
  approve: 'approved',
  edit: 'approved',
  retry: 'approved',
  respond: 'answered',
  deny: 'denied',
} as const satisfies Record<DecisionName, Settlement['state']>;

/** Something runs then. */
const RUNNING: readonly DecisionName[] = ['approve', 'edit', 'retry'];

/** Nothing that waits for tools to be found needs to wait for other decisions. */
export function letsRun({ decision }: Pick<DecideInput, 'decision'>): boolean {
  return RUNNING.includes(decision);
}

/**
 * @throws MochiError approval_decided, approval_expired, decision_not_allowed, approval_changed, validation_error,
 * tool_execution_denied
 */
export function judgeDecision(stored: StoredApproval, given: ApprovalDecision, court: Court): Judgement {
  const { approval, fingerprint, policyName } = stored;
  const { scope = 'once', match = 'tool' } = given;
  refuseSettled(approval, court.now);
  refuseUnfit(approval, given);
  refuseChanged(stored, given, court);
  const edited = editedCall(stored, given, court);
  if (edited === null && letsRun(given)) refuseDenied(stored, approval.arguments ?? {}, court);
  const call = edited ?? (letsRun(given) ? { arguments: approval.arguments, digest: approval.digest } : null);
  const decision: Decision = {
    decision: given.decision,
    arguments: edited?.arguments ?? null,
    content: contentOf(approval, given),
    reason: given.reason || null,
    scope,
    match,
    digest: call?.digest ?? null,
    grant_id: null,
    decided_by: given.decided_by || null,
    request_id: court.requestId,
  };
  const settlement = { state: STATE_AFTER[given.decision], decision, now: court.now };
  if (scope === 'once' || call === null || policyName === null || fingerprint === null) {
    return { settlement, grant: null };
  }
  const isOneCall = match === 'arguments';
  const grant = {
    scope,
    sessionId: scope === 'session' ? approval.session_id : null,
    toolName: policyName,
    fingerprint,
    match,
    arguments: isOneCall ? call.arguments : null,
    digest: isOneCall ? call.digest : null,
    confirmationId: approval.confirmation_id,
    createdAt: court.now,
  };
  return { settlement, grant };
}

function refuseSettled({ confirmation_id, state, decision, expires_at }: Approval, now: string): void {
  const details = { confirmation_id, state, decision };
  if (state === 'expired' || (state === 'pending' && expires_at !== null && expires_at <= now)) {
    throw new MochiError('approval_expired', `The time to decide about ${confirmation_id} is over.`, {
      confirmation_id,
      expires_at,
    });
  }
  if (state === 'pending') return;
  const text =
    state === 'cancelled'
      ? `Nobody waits for ${confirmation_id} any more: its turn has ended.`
      : `${confirmation_id} was decided already: ${decision?.decision ?? state}.`;
  throw new MochiError('approval_decided', text, details);
}

function refuseUnfit(approval: Approval, { decision, scope = 'once' }: ApprovalDecision): void {
  const { confirmation_id, kind, allowed_decisions, allowed_scopes } = approval;
  if (!allowed_decisions.includes(decision)) {
    throw new MochiError(
      'decision_not_allowed',
      `An approval of kind ${kind} is not decided by ${decision}: choose ${listed(allowed_decisions)}.`,
      { confirmation_id, kind, allowed_decisions },
    );
  }
  // Only what runs can be remembered as what may run.
  const scopes = letsRun({ decision }) ? allowed_scopes : (['once'] as const);
  if (scopes.some((allowed) => allowed === scope)) return;
  const why = letsRun({ decision })
    ? 'it is asked each time, whatever was decided before'
    : `${decision} lets nothing run`;
  throw new MochiError('decision_not_allowed', `Scope ${scope} is not possible here: ${why}.`, {
    confirmation_id,
    kind,
    allowed_scopes: [...scopes],
  });
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

/** @throws MochiError approval_changed where what would run is not what was asked about */
function refuseChanged(
  { approval, fingerprint, policyName }: StoredApproval,
  given: ApprovalDecision,
  { tools }: Court,
): void {
  const { confirmation_id, kind, tool_name, agent_session_id, digest } = approval;
  if (given.digest !== undefined && given.digest !== digest) {
    throw new MochiError('approval_changed', 'The digest is not that of the approval. Look at it again.', {
      confirmation_id,
      digest,
    });
  }
  if (policyName === null || fingerprint === null || !letsRun(given)) return;
  // After a restart the tool of an agent is asked about by its plain name, which another tool may have.
  if (kind === 'outcome' && agent_session_id !== null) return;
  const tool = tools.find(policyName);
  if (tool?.fingerprint === fingerprint) return;
  // A server may be away just now, and agents are known to sessions alone: whether it is there is looked at when it runs.
  if (tool === null && isFoundLater(policyName)) return;
  const advice =
    tool === null
      ? 'is no longer there, so that it cannot be approved any more. Deny it: the model goes on without'
      : 'has changed since it was asked about, so that it cannot be approved any more. Deny it: the model can call it again';
  throw new MochiError('approval_changed', `Tool '${tool_name}' ${advice}.`, { confirmation_id, tool_name });
}

function isFoundLater(policyName: string): boolean {
  return policyName === 'agent' || /^(mcp|agent)__/.test(policyName);
}

/** The operator's word comes before any approval. @throws MochiError tool_execution_denied */
function refuseDenied(
  { approval: { confirmation_id, tool_name }, policyName }: StoredApproval,
  args: Readonly<Record<string, unknown>>,
  { tools }: Court,
): void {
  const rule = policyName === null ? null : tools.denyRuleOf(policyName, args);
  if (rule === null) return;
  throw new MochiError('tool_execution_denied', deniedText(tool_name ?? policyName ?? ''), {
    confirmation_id,
    tool_name,
    rule,
  });
}

/** @throws MochiError validation_error, tool_execution_denied */
function editedCall(stored: StoredApproval, given: ApprovalDecision, court: Court) {
  const { approval, fingerprint, policyName } = stored;
  const { kind, input_schema } = approval;
  if (given.decision !== 'edit' || kind !== 'tool' || policyName === null || fingerprint === null)
    return null;
  if (given.arguments === undefined) throw invalidField('/arguments', 'must be there: edit runs with them');
  const place = { check: checkAsWritten, schema: input_schema ?? {}, path: '/arguments' };
  const args = checkValue(given.arguments, place);
  refuseDenied(stored, args, court);
  return { arguments: args, digest: digestOfCall({ policyName, fingerprint }, args) };
}

/** @throws MochiError validation_error */
function contentOf({ kind, question }: Approval, { decision, content }: ApprovalDecision): unknown {
  if (decision !== 'respond' && !(decision === 'edit' && kind === 'plan')) return null;
  if (JSON.stringify(content ?? null).length > MAX_CONTENT) {
    throw invalidField('/content', `must not be longer than ${MAX_CONTENT} characters`);
  }
  if (question !== null) {
    if (typeof content !== 'object' || content === null || Array.isArray(content)) {
      throw invalidField('/content', 'must be an object that fits the schema of the question');
    }
    return checkValue({ ...content }, { check: checkArguments, schema: question.schema, path: '/content' });
  }
  if (typeof content !== 'string') throw invalidField('/content', 'must be text');
  if (kind === 'plan' && content.trim() === '') throw invalidField('/content', 'must not be blank');
  return content;
}
