// The first start in a folder of the original: its sessions come along.

import { stat } from 'node:fs/promises';
import type { SessionKind } from '../contract/session.ts';
import type { Log } from '../kit/log.ts';
import type { SessionDeps } from '../sessions/session-deps.ts';
import { readMeta, writeMeta } from '../store/meta.ts';
import type { ImportDeps } from './import-deps.ts';
import { type ImportOutcome, importSessions } from './import-sessions.ts';

/**
 * Set when an import on start has run to its end: a kill in the middle begins it again, and doubles nothing. Agent chats
 * have one of their own, since folders were taken up before there were any.
 */
const DONE_KEYS: Readonly<Record<SessionKind, string>> = {
  chat: 'first_import',
  agent: 'first_import_of_agent_chats',
};

/** @param deps `kind`: of what the folder holds */
export async function importOnFirstStart(
  deps: ImportDeps &
    Pick<SessionDeps, 'now'> & { readonly folder: string; readonly kind: SessionKind; readonly log: Log },
): Promise<void> {
  const { db, folder, kind, log } = deps;
  if ((await readMeta(db, DONE_KEYS[kind])) !== null) return;
  const isFolder = await stat(folder).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  if (isFolder) {
    for await (const outcome of importSessions(deps, [folder], kind)) {
      if (outcome.type === 'unreadable') log.warn(describeOutcome(outcome));
      else log.info(describeOutcome(outcome));
    }
  }
  await writeMeta(db, DONE_KEYS[kind], deps.now());
}

/** One line for people. */
export function describeOutcome(outcome: ImportOutcome): string {
  switch (outcome.type) {
    case 'imported':
      return `${outcome.file}: imported as session ${outcome.sessionId} (${outcome.messages} messages)`;
    case 'known':
      return `${outcome.file}: already there as session ${outcome.sessionId}`;
    case 'unreadable':
    case 'skipped':
      return `${outcome.file}: not imported: ${outcome.reason}`;
    default:
      return outcome satisfies never;
  }
}
