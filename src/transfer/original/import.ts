// A session of the original → rows: one branch, the system message before it.
import type { SessionKind } from '../../contract/session.ts';
import { inStretches, type Stretches } from '../../kit/stretches.ts';
import { refreshPreview } from '../../store/active-path.ts';
import type { Db } from '../../store/database.ts';
import { insertMessages, type NewMessage } from '../../store/insert-messages.ts';
import { SYSTEM_DEPTH } from '../../store/messages.ts';
import { countMessages } from '../../store/session-rows.ts';
import { insertSession, updateSession } from '../../store/sessions.ts';
import { inSlices } from '../../store/slices.ts';
import type { ImportDeps, StoredImport } from '../import-deps.ts';
import { storeImport } from '../store-import.ts';
import { type OriginalAdditions, takeAdditions } from './additions.ts';
import { exportOriginal } from './export.ts';
import { type OriginalSession, parseOriginalSession } from './format.ts';
import { jsonHash } from './json-hash.ts';

/** @param kind `agent`: an agent chat, also where the file does not say so */
export async function storeOriginal(
  deps: ImportDeps,
  session: OriginalSession,
  kind: SessionKind = 'chat',
): Promise<StoredImport> {
  const { additions, rest } = takeAdditions(session.extra);
  const agent = additions.agent ?? (kind === 'agent' ? { name: null } : null);
  const importHash = await inStretches(hashOf(session, agent));
  const rows = toMessages(session, new Set(additions.partial));
  return storeImport(deps, {
    id: session.sessionId,
    importHash,
    messages: rows.length,
    isSame: async (db, existing) => {
      // Counted first: a session of any length may have this id.
      if (countMessages(existing) !== rows.length) return false;
      const pieces = await Array.fromAsync(exportOriginal(db, existing), (piece) => Buffer.from(piece));
      const exported = Buffer.concat(pieces);
      const there = await inStretches(parseOriginalSession(exported, existing.id));
      const hash = await inStretches(hashOf(there, takeAdditions(there.extra).additions.agent));
      return hash === importHash;
    },
    begin: (db, id) =>
      insertSession(db, {
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
        ...(agent !== null && { kind: 'agent', agentName: agent.name }),
      }),
    *slices(id) {
      for (const slice of inSlices(rows, sizeOf)) {
        yield (db) =>
          insertMessages(
            db,
            slice.map((row) => ({ ...row, sessionId: id })),
          );
      }
    },
    finish: (db, id) => finishPath(db, id, rows),
  });
}

/** The first message is the system message if it is one; the rest is a tree with a single branch. */
function toMessages({ messages }: OriginalSession, partial: ReadonlySet<string>): FoundMessage[] {
  const hasSystem = messages[0]?.role === 'system';
  return messages.map((message, index) => {
    const depth = hasSystem ? index - 1 : index;
    const parent = depth > 0 ? messages[index - 1] : undefined;
    return {
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
}

type FoundMessage = Omit<NewMessage, 'sessionId'>;

function sizeOf({ content, thinking }: FoundMessage): number {
  return content.length + (thinking?.length ?? 0);
}

async function finishPath(db: Db, sessionId: string, rows: readonly FoundMessage[]): Promise<void> {
  const [first] = rows;
  const last = rows.at(-1);
  const headDepth = last?.depth ?? SYSTEM_DEPTH;
  await updateSession(db, sessionId, {
    system_id: first?.depth === SYSTEM_DEPTH ? first.id : null,
    head_id: headDepth > SYSTEM_DEPTH && last ? last.id : null,
    head_depth: headDepth,
  });
  await refreshPreview(db, sessionId);
}

/** Of its content. An agent chat is another content than a chat, and the same whether its file says so or its folder. */
export function* hashOf(session: OriginalSession, agent: OriginalAdditions['agent']): Stretches<string> {
  const { agent_name: _name, ...extra } = session.extra;
  const content = agent === null ? session : { ...session, extra, agent };
  return yield* jsonHash(content);
}
