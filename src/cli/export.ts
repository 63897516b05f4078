// `mochi-server export`: every session as a file of its own, also beside a running server.
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Config } from '../config.ts';
import type { ExportFormat } from '../contract/jsonl.ts';
import { AtomicFiles } from '../kit/atomic-file.ts';
import { makePrivateFolder } from '../kit/private-files.ts';
import { openCommandSnapshot } from '../store/command-store.ts';
import type { Snapshot } from '../store/open-snapshot.ts';
import { findSessionRow, listSessionIds, type SessionRow } from '../store/session-rows.ts';
import { exportText } from '../transfer/export-session.ts';
import { ignoreFileSizeSignal } from './command.ts';
import { asExit, asFileFailure } from './explain-error.ts';
import { say } from './terminal.ts';

/** As the original has it beside its agents. */
const AGENT_CHATS = 'agent_chats';

/** Files that wait for the disk together. */
const FILES_AT_ONCE = 64;

/**
 * All sessions as they are at one moment. A file that is there already is replaced; others are left alone. As JSONL a
 * session has its agent chats in its file; else they have files of their own, in a folder of theirs.
 */
export async function runExport(config: Config, folder: string, format: ExportFormat): Promise<void> {
  ignoreFileSizeSignal();
  const snapshot = await openCommandSnapshot(config).catch((error: unknown) => {
    throw asExit(error, config);
  });
  const files = new AtomicFiles('replace');
  try {
    makePrivateFolder(folder);
    const counts = { chat: 0, agent: 0 };
    const nameOf = createNames();
    for (const id of await listSessionIds(snapshot.db)) {
      const session = await findSessionRow(snapshot.db, id);
      if (session === null) continue;
      counts[session.kind] += 1;
      const isApart = format === 'json' && session.kind === 'agent';
      if (isApart) makePrivateFolder(join(folder, AGENT_CHATS));
      // Written with the session that it belongs to.
      if (format === 'jsonl' && session.parent_session_id !== null) continue;
      const path = join(folder, isApart ? AGENT_CHATS : '', `${nameOf(id)}.${format}`);
      await writeSession(snapshot, session, { files, path, format });
      if (files.waiting === FILES_AT_ONCE) await files.place();
    }
    await files.place();
    say(`${describe(counts)} exported to ${folder}\n`);
  } catch (error) {
    throw asFileFailure(error, config);
  } finally {
    await files.discard();
    await snapshot.close();
  }
}

async function writeSession(
  snapshot: Snapshot,
  session: SessionRow,
  {
    files,
    path,
    format,
  }: { readonly files: AtomicFiles; readonly path: string; readonly format: ExportFormat },
): Promise<void> {
  const text = exportText(snapshot, session, { format, withAgents: format === 'jsonl' });
  const stream = Readable.from(text, { objectMode: false });
  await files.write(path, (file) => file.writeFile(stream));
}

function describe(counts: Readonly<Record<SessionRow['kind'], number>>): string {
  const sessions = `${counts.chat} ${counts.chat === 1 ? 'session' : 'sessions'}`;
  if (counts.agent === 0) return sessions;
  return `${sessions} and ${counts.agent} ${counts.agent === 1 ? 'agent chat' : 'agent chats'}`;
}

/** Ids of the original can differ by letter case alone, which is no difference to some file systems. */
function createNames(): (id: string) => string {
  const given = new Set<string>();
  return (id) => {
    let name = id;
    for (let number = 2; given.has(name.toLowerCase()); number += 1) name = `${id}.${number}`;
    given.add(name.toLowerCase());
    return name;
  };
}
