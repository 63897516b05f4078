// A session of the original → rows: one branch, the system message before it.
import { createHash } from 'node:crypto';
import { refreshPreview } from '../../store/active-path.ts';
import type { Db } from '../../store/database.ts';
import { insertMessages, type NewMessage, SYSTEM_DEPTH } from '../../store/messages.ts';
import { countMessages, findSessionRow } from '../../store/session-rows.ts';
import { findImportedSession, insertSession, updateSession } from '../../store/sessions.ts';
import type { ImportDeps, StoredImport } from '../import-deps.ts';
import { takeAdditions } from './additions.ts';
import { exportOriginal } from './export.ts';
import { type OriginalSession, parseOriginalSession } from './format.ts';

/** A session that is there already, or was imported from the same content before, is recognised and not doubled. */
export async function storeOriginal(deps: ImportDeps, session: OriginalSession): Promise<StoredImport> {
  const importHash = hashOf(session);
  return deps.db.transaction().execute(async (db) => {
    const known = await findImportedSession(db, importHash);
    if (known !== null) return { type: 'known', sessionId: known };
    const existing = await findSessionRow(db, session.sessionId);
    // Counted first: a session of any length may have this id.
    if (existing !== null && countMessages(existing) === session.messages.length) {
      const exported = (await Array.fromAsync(exportOriginal(db, existing))).join('');
      if (hashOf(parseOriginalSession(exported, existing.id)) === importHash) {
        return { type: 'known', sessionId: existing.id };
      }
    }
    const id = existing === null ? session.sessionId : deps.newId(10);
    const { additions, rest } = takeAdditions(session.extra);
    await insertSession(db, {
      id,
      model: session.model,
      createdAt: session.createdAt,
      updatedAt: session.updatedAt,
      title: additions.title,
      metadata: additions.metadata,
      toolSettings: session.toolSettings,
      agentSettings: session.agentSettings,
      contextWindow: session.contextWindow,
      summary: session.summary,
      summaryModel: session.summaryModel,
      importHash,
      extra: { ...rest, format_version: session.formatVersion },
    });
    await storeMessages(db, id, session, new Set(additions.partial));
    return { type: 'imported', sessionId: id, messages: session.messages.length };
  });
}

/** The first message is the system message if it is one; the rest is a tree with a single branch. */
async function storeMessages(
  db: Db,
  sessionId: string,
  session: OriginalSession,
  partial: ReadonlySet<string>,
): Promise<void> {
  const [first] = session.messages;
  const hasSystem = first?.role === 'system';
  const rows = session.messages.map((message, index): NewMessage => {
    const depth = hasSystem ? index - 1 : index;
    const parent = depth > 0 ? session.messages[index - 1] : undefined;
    return {
      sessionId,
      id: message.messageId,
      parentId: parent?.messageId ?? null,
      depth,
      active: true,
      role: message.role,
      content: message.content,
      timestamp: message.timestamp,
      status: partial.has(message.messageId) ? 'partial' : 'complete',
      thinking: message.thinking,
      model: message.model,
      evalCount: message.evalCount,
      promptEvalCount: message.promptEvalCount,
      toolCalls: message.toolCalls,
      sourceFile: message.sourceFile,
      toolName: message.toolName,
      extra: Object.keys(message.extra).length > 0 ? message.extra : null,
    };
  });
  await insertMessages(db, rows);
  const last = rows.at(-1);
  const headDepth = last?.depth ?? SYSTEM_DEPTH;
  await updateSession(db, sessionId, {
    system_id: hasSystem ? first.messageId : null,
    head_id: headDepth > SYSTEM_DEPTH && last ? last.id : null,
    head_depth: headDepth,
  });
  await refreshPreview(db, sessionId);
}

function hashOf(session: OriginalSession): string {
  return createHash('sha256').update(JSON.stringify(session)).digest('hex');
}
