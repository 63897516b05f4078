// From what a model asked for to what would run: name, arguments, digest, and the verdict of the policy.
import type { EngineToolCall } from '../contract/engine.ts';
import { digestOf } from '../kit/digest.ts';
import { cutText } from '../kit/whole-characters.ts';
import { checkArguments } from './arguments/check-arguments.ts';
import { resolveName } from './arguments/resolve-name.ts';
import { isClientTool } from './client-tools.ts';
import type { Offer } from './offer.ts';
import { decideCall, type SessionPolicy, type ToolGrant, type Verdict } from './policy/decide-call.ts';
import type { ToolPolicy } from './policy/tool-policy.ts';
import type { RegisteredTool } from './registered-tool.ts';

/** Where a call stands: what its turn offers, and what its session says. */
export interface CallStanding {
  readonly offer: Offer;
  readonly session: SessionPolicy;
  /** Of the session and of all sessions; none where missing. */
  readonly grants?: readonly ToolGrant[];
  /** Digests of executions of the session whose outcome nobody knows; none where missing. */
  readonly unknownDigests?: ReadonlySet<string>;
}

interface Prepared {
  /** The tool that was meant; what the model wrote where none was found. */
  readonly name: string;
  /** As they would run; `{}` where they could not be read. */
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly verdict: Verdict;
}

/** It may run: at once (`run`), or when a person has approved it (`ask`). */
export interface ReadyCall extends Prepared {
  readonly verdict: Verdict & { readonly decision: 'run' | 'ask' };
  readonly tool: RegisteredTool;
  /** What was changed in name and arguments, in words without values. */
  readonly repairs: readonly string[];
  /** SHA-256 of `{tool, fingerprint, arguments}`. */
  readonly digest: string;
}

/** It will not run, and this is why. */
interface RefusedCall extends Prepared {
  readonly verdict: Verdict & { readonly decision: 'refuse' };
  /** For the model, without `Error: ` before it. */
  readonly text: string;
}

export type PreparedCall = ReadyCall | RefusedCall;

/** Never throws. */
export function prepareCall(
  { name: asked, arguments: given }: Pick<EngineToolCall, 'name' | 'arguments'>,
  { offer, session, grants = [], unknownDigests = new Set() }: CallStanding,
  policy: ToolPolicy,
): PreparedCall {
  const resolved = resolveName(asked, offer.tools);
  if (resolved.tool === null) {
    const args = typeof given === 'string' ? {} : given;
    const text = notOfferedText(asked, resolved.closest);
    return { name: asked, arguments: args, verdict: refusal('not_offered'), text };
  }
  const { tool } = resolved;
  const { name, policyName } = tool;
  const checked = tool.check?.(given) ?? checkArguments(given, tool);
  if (!checked.ok) {
    return { name, arguments: checked.arguments, verdict: refusal('arguments'), text: checked.text };
  }
  const call = { name, arguments: checked.arguments, digest: digestOfCall(tool, checked.arguments) };
  const repairs = resolved.isRepaired ? [`name: read as ${name}`, ...checked.repairs] : checked.repairs;
  // What the client does is the client's to decide.
  if (isClientTool(tool))
    return { ...call, verdict: { decision: 'run', rule: 'client_tool' }, tool, repairs };
  const question = { call: { ...call, name: policyName }, tool, policy, session, grants, unknownDigests };
  const { decision, rule } = decideCall(question);
  if (decision === 'refuse') return { ...call, verdict: refusal(rule), text: deniedText(name) };
  return { ...call, verdict: { decision, rule }, tool, repairs };
}

/** SHA-256 of `{tool, fingerprint, arguments}`: what is approved, and what may not run again unasked. */
export function digestOfCall(
  { policyName, fingerprint }: Pick<RegisteredTool, 'policyName' | 'fingerprint'>,
  args: Readonly<Record<string, unknown>>,
): string {
  return digestOf({ tool: policyName, fingerprint, arguments: args });
}

/** What a model, or a person, reads of a call that the operator forbids. */
export function deniedText(name: string): string {
  return `Tool '${name}' may not be used like this: the operator's policy forbids it.`;
}

function notOfferedText(asked: string, closest: readonly string[]): string {
  const text = `Tool '${cutText(asked, 100)}' is not available.`;
  return closest.length === 0 ? text : `${text} The closest of those that are: ${closest.join(', ')}.`;
}

function refusal(rule: string) {
  return { decision: 'refuse', rule } as const;
}
