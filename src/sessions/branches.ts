// Branches of a conversation: show another one, or go on with it in a session of its own.
import type { SessionHead } from '../contract/session.ts';
import { moveHead, refreshPreview } from '../store/active-path.ts';
import { copyPath } from '../store/copy-path.ts';
import { type PathMessage, SYSTEM_DEPTH } from '../store/messages.ts';
import { insertSession, type StoredSession, updateSession } from '../store/sessions.ts';
import { requireMessage, requireSession } from './require.ts';
import type { SessionDeps } from './session-deps.ts';

/** The path then ends at the message, an inner one included. @throws MochiError session_not_found, message_not_found */
export async function setHead(deps: SessionDeps, sessionId: string, messageId: string): Promise<SessionHead> {
  return deps.db.transaction().execute(async (transaction) => {
    await requireSession(transaction, sessionId);
    const target = await requireMessage(transaction, sessionId, messageId);
    await moveHead(transaction, sessionId, toTarget(target), deps.now());
    const session = await requireSession(transaction, sessionId);
    return { session_id: sessionId, head: headOf(session), message_count: session.message_count };
  });
}

/**
 * A new session with the path up to a message (default: the head) and the same settings. Messages keep their ids.
 * @throws MochiError session_not_found, message_not_found
 */
export async function forkSession(
  deps: SessionDeps,
  sessionId: string,
  messageId: string | null,
): Promise<StoredSession> {
  return deps.db.transaction().execute(async (transaction) => {
    const source = await requireSession(transaction, sessionId);
    const targetId = messageId ?? headOf(source);
    const message = targetId === null ? null : await requireMessage(transaction, sessionId, targetId);
    const target = message && toTarget(message);
    const id = deps.newId(10);
    const now = deps.now();
    await insertSession(transaction, {
      id,
      model: source.model,
      createdAt: now,
      updatedAt: now,
      title: source.title,
      metadata: source.metadata,
      toolSettings: source.tool_settings,
      agentSettings: source.agent_settings,
      contextWindow: source.context_window,
      summaryModel: source.summary_model,
    });
    await copyPath(transaction, { from: sessionId, to: id, headId: target?.id ?? null });
    await updateSession(transaction, id, {
      system_id: source.systemId,
      head_id: target?.id ?? null,
      head_depth: target?.depth ?? SYSTEM_DEPTH,
    });
    await refreshPreview(transaction, id);
    return requireSession(transaction, id);
  });
}

/** What a client sees as the end of the path: the system message when nothing follows it. */
export function headOf(session: StoredSession): string | null {
  return session.headId ?? session.systemId;
}

/** The system message stands before the tree: a path that ends there is empty. */
function toTarget(message: PathMessage): { id: string; depth: number } | null {
  return message.depth === SYSTEM_DEPTH ? null : { id: message.message_id, depth: message.depth };
}
