// Branches of a conversation: show another one, or go on with it in a session of its own.
import type { HeadInput, SessionHead } from '../contract/session.ts';
import { moveHead, refreshPreview } from '../store/active-path.ts';
import { copyMessages, listPathTo } from '../store/copy-path.ts';
import type { Db } from '../store/database.ts';
import { type PathMessage, SYSTEM_DEPTH } from '../store/messages.ts';
import { receiveSession } from '../store/receive-session.ts';
import { changeIdleSession } from '../store/session-busy.ts';
import { insertSession, type StoredSession, updateSession } from '../store/sessions.ts';
import { findNewestLeaf } from '../store/siblings.ts';
import { inSlices } from '../store/slices.ts';
import { requireMessage, requireSession, sessionNotFound } from './require.ts';
import type { SessionDeps } from './session-deps.ts';

/**
 * The path then ends at the message, an inner one included, or where its branch ends.
 * @throws MochiError session_not_found, message_not_found
 */
export async function setHead(
  deps: SessionDeps,
  sessionId: string,
  { message_id: messageId, descend = false }: HeadInput,
): Promise<SessionHead> {
  return changeIdleSession(deps.db, sessionId, async (transaction) => {
    await requireSession(transaction, sessionId);
    const target = toTarget(await requireMessage(transaction, sessionId, messageId));
    const end = descend ? await findNewestLeaf(transaction, sessionId, target && target.id) : target;
    await moveHead(transaction, sessionId, end, deps.now());
    const session = await requireSession(transaction, sessionId);
    return { session_id: sessionId, head: headOf(session), message_count: session.message_count };
  });
}

/**
 * A new session with the path up to a message (default: the head) and the same settings. Messages keep their ids.
 * A long path is copied in slices; nobody sees the session before it is whole.
 * @throws MochiError session_not_found, message_not_found
 */
export async function forkSession(
  deps: SessionDeps,
  sessionId: string,
  messageId: string | null,
): Promise<StoredSession> {
  const { db } = deps;
  const source = await requireSession(db, sessionId);
  const targetId = messageId ?? headOf(source);
  const message = targetId === null ? null : await requireMessage(db, sessionId, targetId);
  const target = message && toTarget(message);
  const path = target === null ? [] : await listPathTo(db, sessionId, target.id);
  const fork = deps.newId(10);
  const copy = async (transaction: Db, ids: readonly string[]) => {
    const copied = await copyMessages(transaction, { from: sessionId, to: fork, ids });
    // Messages only go with their session.
    if (copied < ids.length) throw sessionNotFound(sessionId);
  };
  await receiveSession(db, {
    begin: async (transaction) => {
      const { systemId } = await beginFork(deps, transaction, { sessionId, fork });
      if (systemId !== null) await copy(transaction, [systemId]);
      await updateSession(transaction, fork, { system_id: systemId });
      return fork;
    },
    *slices() {
      for (const slice of inSlices(path, ({ bytes }) => bytes)) {
        const ids = slice.map(({ id }) => id);
        yield (transaction) => copy(transaction, ids);
      }
    },
    finish: async (transaction) => {
      await updateSession(transaction, fork, {
        head_id: target?.id ?? null,
        head_depth: target?.depth ?? SYSTEM_DEPTH,
      });
      await refreshPreview(transaction, fork);
    },
  });
  return requireSession(db, fork);
}

/** The row, with the settings as they are at this moment. @returns the source @throws MochiError session_not_found */
async function beginFork(
  deps: SessionDeps,
  db: Db,
  { sessionId, fork }: { readonly sessionId: string; readonly fork: string },
): Promise<StoredSession> {
  const source = await requireSession(db, sessionId);
  const now = deps.now();
  await insertSession(db, {
    id: fork,
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
  return source;
}

/** What a client sees as the end of the path: the system message when nothing follows it. */
export function headOf(session: StoredSession): string | null {
  return session.headId ?? session.systemId;
}

/** The system message stands before the tree: a path that ends there is empty. */
function toTarget(message: PathMessage): { id: string; depth: number } | null {
  return message.depth === SYSTEM_DEPTH ? null : { id: message.message_id, depth: message.depth };
}
