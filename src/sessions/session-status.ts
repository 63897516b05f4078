// How a session stands: its settings, its window, and what the last turn sent.
import type { ContextReceipt } from '../contract/context-window.ts';
import { type EngineModel, mayDo } from '../contract/engine.ts';
import type { Session, SessionStatus } from '../contract/session.ts';
import { MANY_TOOLS } from '../contract/tool.ts';
import { listApprovals } from '../store/approvals.ts';
import { findSystemMessage } from '../store/messages.ts';
import { findLastReceipt } from '../store/turns.ts';
import { requireSession } from './require.ts';
import type { SessionDeps } from './session-deps.ts';

/** Approvals; the inbox has all. */
const MAX_SHOWN = 128;

/**
 * An engine that is down leaves a gap and nothing more.
 * @param pickAgents those of these names that can work
 * @throws MochiError session_not_found
 */
export async function readStatus(
  deps: SessionDeps,
  sessionId: string,
  pickAgents: (names: readonly string[]) => Promise<string[]>,
): Promise<SessionStatus> {
  const { db, engine } = deps;
  const session = await requireSession(db, sessionId);
  const model = await engine.recallModel(session.model).catch(() => null);
  const system = session.systemId === null ? null : await findSystemMessage(db, sessionId);
  const context = await findLastReceipt(db, sessionId);
  const approvals = await listApprovals(db, { isPending: true, sessionId, limit: MAX_SHOWN, after: null });
  const { context_window: window, tool_settings: tools, agent_settings: agents } = session;
  return {
    session_id: sessionId,
    model: session.model,
    title: session.title,
    message_count: session.message_count,
    active_turn: session.active_turn,
    context_window: {
      dynamic_enabled: window.dynamic_enabled,
      current_window: window.current_window,
      model_max_context: model?.trainedLength ?? null,
      last_adjustment_reason: window.last_adjustment,
      manual_override: window.manual_override,
    },
    context,
    approvals,
    tools_enabled: tools.tools.length > 0,
    active_tools: tools.tools,
    tool_warnings: toolWarnings(session, model, context),
    execution_policy: tools.execution_policy,
    agents_enabled: agents.enabled_agents.length > 0,
    enabled_agents: agents.enabled_agents,
    agents_available: await pickAgents(agents.enabled_agents),
    system_prompt_file: system?.source_file ?? null,
    summary: session.summary,
    summary_model: session.summary_model,
  };
}

function toolWarnings(
  { model: name, tool_settings: { tools } }: Session,
  model: EngineModel | null,
  context: ContextReceipt | null,
): string[] {
  if (tools.length === 0) return [];
  if (!mayDo(model, 'tools')) return [`The model ${name} cannot call tools: it is offered none.`];
  // A glob stands for several: how many, the last turn knows.
  const count = Math.max(tools.length, context?.tools_offered?.length ?? 0);
  if (count <= MANY_TOOLS) return [];
  return [`The session names ${count} tools: small models choose badly among more than ${MANY_TOOLS}.`];
}
