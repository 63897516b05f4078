// Which tools a turn offers: those that the session names, or the request for this turn, and the agents that are enabled.
import { AGENT_TOOL, createAgentTool } from '../agents/agent-tool.ts';
import { unlessAborted } from '../kit/unless-aborted.ts';
import type { StoredSession } from '../store/sessions.ts';
import { registerClientTools } from '../tools/client-tools.ts';
import type { Offer } from '../tools/offer.ts';
import { chosenOffer } from './prompt/forced-call.ts';
import type { TurnDeps } from './turn-deps.ts';
import { agentSettingsOf, type TurnRequest, toolSettingsOf } from './turn-request.ts';

/** When a turn begins: what is still being looked for is waited for, at most ten seconds. @throws what aborts it */
export async function offerTools(
  deps: Pick<TurnDeps, 'tools' | 'agents'>,
  turn: { readonly session: StoredSession; readonly request: TurnRequest; readonly signal: AbortSignal },
): Promise<Offer> {
  const { session, request, signal } = turn;
  if (toolSettingsOf(session, request).tools.length > 0) await unlessAborted(deps.tools.ready(), signal);
  if (agentSettingsOf(session, request).enabled_agents.length > 0) {
    await unlessAborted(deps.agents.ready(), signal);
  }
  return unlessAborted(offerNow(deps, session, request), signal);
}

/**
 * From what has been found so far. Of two tools of one name the client's is offered; agents come last, so that the others
 * stay as they were when agents come and go.
 * @throws ClientToolFault; MochiError validation_error for a choice that there is not
 */
export async function offerNow(
  { tools, agents }: Pick<TurnDeps, 'tools' | 'agents'>,
  session: StoredSession,
  request: TurnRequest,
): Promise<Offer> {
  const own = tools.offer(toolSettingsOf(session, request).tools);
  const brought = await registerClientTools(request.clientTools);
  const names = new Set(brought.map(({ name }) => name));
  const enabled = agents.enabled(agentSettingsOf(session, request).enabled_agents);
  const isCallable = enabled.length > 0 && tools.denyRuleOf(AGENT_TOOL) === null;
  const others = own.tools.filter(({ name }) => !names.has(name));
  // A client may have a tool of its own of that name.
  const agent = isCallable && !names.has(AGENT_TOOL) ? [createAgentTool(enabled)] : [];
  return chosenOffer({ ...own, tools: [...others, ...brought, ...agent] }, request.toolChoice);
}
