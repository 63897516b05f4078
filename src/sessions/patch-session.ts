// Changes of a session's settings. Allowed while a turn runs: the turn goes on with what it began with.
import type { PatchSession } from '../contract/session.ts';
import { settleJob } from '../store/background-jobs.ts';
import { changeSession } from '../store/lock-session.ts';
import { type SessionChange, type StoredSession, updateSession } from '../store/sessions.ts';
import { deleteGrantsOfSession } from '../store/tool-grants.ts';
import { changeWindow } from './change-window.ts';
import { checkMetadata } from './metadata.ts';
import { requireChatModel, requireSession } from './require.ts';
import type { SessionDeps } from './session-deps.ts';
import { completeAgentSettings, completeToolSettings } from './settings.ts';

/** @throws MochiError session_not_found, model_unusable, ollama_unreachable, ollama_error, validation_error */
export async function patchSession(
  deps: SessionDeps,
  sessionId: string,
  patch: PatchSession,
): Promise<StoredSession> {
  checkMetadata(patch.metadata);
  await requireSession(deps.db, sessionId);
  // Asked before anything is written, and outside the transaction: an engine may take seconds.
  const model = patch.model == null ? null : await requireChatModel(deps.engine, patch.model);
  return changeSession(deps.db, sessionId, async (transaction) => {
    const session = await requireSession(transaction, sessionId);
    const now = deps.now();
    const change: SessionChange = {
      ...(model !== null && { model: model.name }),
      ...(patch.title !== undefined && { title: patch.title }),
      ...(patch.summary_model !== undefined && { summary_model: patch.summary_model }),
      ...(patch.metadata != null && { metadata: patch.metadata }),
      ...(patch.tool_settings != null && { toolSettings: completeToolSettings(patch.tool_settings) }),
      ...(patch.agent_settings != null && { agentSettings: completeAgentSettings(patch.agent_settings) }),
      ...(patch.context_window != null && {
        contextWindow: changeWindow(session.context_window, patch.context_window, now),
      }),
    };
    if (Object.keys(change).length === 0) return session;
    // The client has decided, be it for none: no title is written any more.
    if (patch.title !== undefined) await settleJob(transaction, { sessionId, kind: 'title' });
    if (patch.tool_settings != null) await deleteGrantsOfSession(transaction, sessionId);
    await updateSession(transaction, sessionId, { ...change, updated_at: now });
    return requireSession(transaction, sessionId);
  });
}
