// `mochi-server restore`: a backup in the place of the database, while no server runs.
import { resolve } from 'node:path';
import type { Config } from '../config.ts';
import { BackupError } from '../store/backup.ts';
import { restoreDatabase } from '../store/restore-database.ts';
import { complain, EXIT_FAILURE, ignoreFileSizeSignal } from './command.ts';
import { asFileFailure } from './explain-error.ts';
import { refuseOnPostgres } from './of-sqlite.ts';
import { say } from './terminal.ts';

export async function runRestore(config: Config, backup: string): Promise<void> {
  refuseOnPostgres(config, 'restore', backup);
  ignoreFileSizeSignal();
  try {
    const { sessions, messages, kept } = await restoreDatabase(config.dataDir, resolve(backup));
    const former = kept === null ? '' : `; the former database is kept in ${kept}`;
    say(`restored ${sessions} sessions and ${messages} messages from ${backup}${former}\n`);
  } catch (error) {
    if (error instanceof BackupError) throw complain([error.message], EXIT_FAILURE);
    throw asFileFailure(error, config);
  }
}
