// `mochi-server export`: every session as a file of its own, also beside a running server.
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Config } from '../config.ts';
import type { ExportFormat } from '../contract/jsonl.ts';
import { writeAtomically } from '../kit/atomic-file.ts';
import { makePrivateFolder } from '../kit/private-files.ts';
import { openSnapshot } from '../store/open-snapshot.ts';
import { findSessionRow, listSessionIds } from '../store/session-rows.ts';
import { exportText } from '../transfer/export-session.ts';
import { ignoreFileSizeSignal } from './command.ts';
import { asExit, asFileFailure } from './explain-error.ts';
import { say } from './terminal.ts';

/** All sessions as they are at one moment. A file that is there already is replaced; others are left alone. */
export async function runExport(config: Config, folder: string, format: ExportFormat): Promise<void> {
  ignoreFileSizeSignal();
  const snapshot = await openSnapshot(config.dataDir).catch((error: unknown) => {
    throw asExit(error, config);
  });
  try {
    makePrivateFolder(folder);
    const ids = await listSessionIds(snapshot.db);
    const nameOf = createNames();
    for (const id of ids) {
      const session = await findSessionRow(snapshot.db, id);
      if (session === null) continue;
      const path = join(folder, `${nameOf(id)}.${format}`);
      const text = Readable.from(exportText(snapshot, session, format), { objectMode: false });
      await writeAtomically(path, 'replace', (file) => file.writeFile(text));
    }
    say(`${ids.length} ${ids.length === 1 ? 'session' : 'sessions'} exported to ${folder}\n`);
  } catch (error) {
    throw asFileFailure(error, config);
  } finally {
    await snapshot.close();
  }
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
