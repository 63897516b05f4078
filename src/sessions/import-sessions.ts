// Importing the original's session files. The files are read and left as they are.
import { createHash } from 'node:crypto';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { ID_PATTERN } from '../contract/schema.ts';
import { refreshPreview } from '../store/active-path.ts';
import type { Db } from '../store/database.ts';
import { insertMessages, type NewMessage, SYSTEM_DEPTH } from '../store/messages.ts';
import { findImportedSession, insertSession, sessionExists, updateSession } from '../store/sessions.ts';
import { OriginalFormatError, type OriginalSession, parseOriginalSession } from './original-format.ts';
import type { SessionDeps } from './session-deps.ts';

/** What became of one file. */
export type ImportOutcome =
  | {
      readonly file: string;
      readonly type: 'imported';
      readonly sessionId: string;
      readonly messages: number;
    }
  | { readonly file: string; readonly type: 'known'; readonly sessionId: string }
  | { readonly file: string; readonly type: 'unreadable'; readonly reason: string };

type ImportDeps = Pick<SessionDeps, 'db' | 'newId'>;

/**
 * Imports files, and the `*.json` of folders, one outcome each in the order of their names. A session that was
 * imported before is recognised by its content and not doubled.
 */
export async function* importSessions(
  deps: ImportDeps,
  paths: readonly string[],
): AsyncGenerator<ImportOutcome, void> {
  for (const path of paths) {
    for (const file of await listFiles(path)) {
      yield await importFile(deps, file);
      // The driver is synchronous: let whatever else waits have its turn.
      await setImmediate();
    }
  }
}

async function listFiles(path: string): Promise<string[]> {
  const isFolder = await lstat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  if (!isFolder) return [path];
  const names = await readdir(path);
  return names
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(path, name));
}

async function importFile(deps: ImportDeps, file: string): Promise<ImportOutcome> {
  try {
    const session = parseOriginalSession(
      await readFile(file, 'utf8'),
      idFromName(basename(file, extname(file))),
    );
    return { file, ...(await storeSession(deps, session)) };
  } catch (error) {
    if (error instanceof OriginalFormatError) return { file, type: 'unreadable', reason: error.message };
    if (isFileError(error)) return { file, type: 'unreadable', reason: `cannot be read (${error.code})` };
    throw error;
  }
}

/** A file's name is its session's id, where it can be one; else an id made of it, the same each time. */
function idFromName(name: string): string {
  return ID_PATTERN.test(name) ? name : createHash('sha256').update(name).digest('hex').slice(0, 10);
}

async function storeSession(
  deps: ImportDeps,
  session: OriginalSession,
): Promise<
  | { readonly type: 'imported'; readonly sessionId: string; readonly messages: number }
  | { readonly type: 'known'; readonly sessionId: string }
> {
  const importHash = createHash('sha256').update(JSON.stringify(session)).digest('hex');
  return deps.db.transaction().execute(async (db) => {
    const known = await findImportedSession(db, importHash);
    if (known !== null) return { type: 'known', sessionId: known };
    const isTaken = await sessionExists(db, session.sessionId);
    const id = isTaken ? deps.newId(10) : session.sessionId;
    await insertSession(db, {
      id,
      model: session.model,
      createdAt: session.createdAt,
      updatedAt: session.updatedAt,
      title: null,
      metadata: {},
      toolSettings: session.toolSettings,
      agentSettings: session.agentSettings,
      contextWindow: session.contextWindow,
      summary: session.summary,
      summaryModel: session.summaryModel,
      importHash,
      extra: { ...session.extra, format_version: session.formatVersion },
    });
    await storeMessages(db, id, session);
    return { type: 'imported', sessionId: id, messages: session.messages.length };
  });
}

/** The first message is the system message if it is one; the rest is a tree with a single branch. */
async function storeMessages(db: Db, sessionId: string, session: OriginalSession): Promise<void> {
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
      status: 'complete',
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

function isFileError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && 'syscall' in error;
}
