// Whether a call runs, is asked about, or is refused. A pure function: the first rule that applies has spoken.
import { fitsAllowRule, fitsRule, type RuledCall } from './rule.ts';
import type { ToolPolicy } from './tool-policy.ts';

export interface Verdict {
  readonly decision: 'run' | 'ask' | 'refuse';
  /** What spoke: `deny: delete_*`, `tool_policies`, `grant: grant_4f…`. */
  readonly rule: string;
}

/** An approval that a person wants remembered. */
export interface ToolGrant {
  readonly id: string;
  readonly toolName: string;
  /** Of the tool as it was when it was approved. */
  readonly fingerprint: string;
  /** Digest of the one call that was approved; null: every call of the tool. */
  readonly digest: string | null;
}

/** What a session says; text of stored sessions that is no policy says nothing. */
export interface SessionPolicy {
  readonly execution_policy: string;
  readonly tool_policies: Readonly<Record<string, string>>;
}

interface RuledTool {
  /** By which models know it: sessions may name a tool of an agent like this, too. */
  readonly name: string;
  readonly fingerprint: string;
  readonly needsApproval: boolean;
  readonly asksNobody?: boolean;
}

export interface CallQuestion {
  /** The call as it would run. */
  readonly call: {
    /** By which rules know the tool. */
    readonly name: string;
    readonly arguments: Readonly<Record<string, unknown>>;
    readonly digest: string;
  };
  /** Null: the turn does not offer it. */
  readonly tool: RuledTool | null;
  readonly policy: ToolPolicy;
  readonly session: SessionPolicy;
  /** Of the session, and of all sessions. */
  readonly grants: readonly ToolGrant[];
  /** Digests of the session's executions whose outcome nobody knows. */
  readonly unknownDigests: ReadonlySet<string>;
}

export function decideCall({ call, tool, policy, session, grants, unknownDigests }: CallQuestion): Verdict {
  if (tool === null) return { decision: 'refuse', rule: 'not_offered' };
  const denied = denyRuleOf(policy, call);
  if (denied !== null) return { decision: 'refuse', rule: denied };
  if (unknownDigests.has(call.digest)) return { decision: 'ask', rule: 'unknown_outcome' };
  const asked = policy.ask.find((rule) => fitsRule(rule, call));
  if (asked !== undefined) return { decision: 'ask', rule: `ask: ${asked.text}` };
  if (tool.asksNobody === true) return { decision: 'run', rule: 'asks_nobody' };
  const grant = grants.find(
    ({ toolName, fingerprint, digest }) =>
      toolName === call.name &&
      fingerprint === tool.fingerprint &&
      (digest === null || digest === call.digest),
  );
  if (grant !== undefined) return { decision: 'run', rule: `grant: ${grant.id}` };
  const { tool_policies: policies, execution_policy: general } = session;
  for (const name of new Set([call.name, tool.name])) {
    const own = Object.hasOwn(policies, name) ? decisionOf(policies[name]) : null;
    if (own !== null) return { decision: own, rule: 'tool_policies' };
  }
  const allowed = policy.allow.find((rule) => fitsAllowRule(rule, call));
  if (allowed !== undefined) return { decision: 'run', rule: `allow: ${allowed.text}` };
  if (tool.needsApproval) return { decision: 'ask', rule: 'needs_approval' };
  const decision = decisionOf(general);
  return decision === null ? { decision: 'ask', rule: 'default' } : { decision, rule: 'execution_policy' };
}

/** The operator's rule that forbids a call; null: none. Nothing lifts it. */
export function denyRuleOf(policy: ToolPolicy, call: RuledCall): string | null {
  const rule = policy.deny.find((candidate) => fitsRule(candidate, call));
  return rule === undefined ? null : `deny: ${rule.text}`;
}

/** A rule that forbids a tool whatever its arguments are. */
export function denyRuleOfTool(policy: ToolPolicy, name: string): string | null {
  const rule = policy.deny.find(
    (candidate) => candidate.argument === null && fitsRule(candidate, { name, arguments: {} }),
  );
  return rule === undefined ? null : `deny: ${rule.text}`;
}

function decisionOf(policy: string | undefined): 'run' | 'ask' | null {
  if (policy === 'never_confirm') return 'run';
  return policy === 'always_confirm' ? 'ask' : null;
}
