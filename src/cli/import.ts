// `mochi-server import`: session files into the database, also beside a running server.
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { closeImportedTurns } from '../chat/recover-turns.ts';
import type { Config } from '../config.ts';
import type { SessionKind } from '../contract/session.ts';
import { timestampNow } from '../kit/clock.ts';
import { randomHex } from '../kit/ids.ts';
import { openCommandStore } from '../store/command-store.ts';
import { describeOutcome } from '../transfer/import-on-first-start.ts';
import { importSessions } from '../transfer/import-sessions.ts';
import { EXIT_FAILURE, ExitError } from './command.ts';
import { asExit } from './explain-error.ts';
import { say } from './terminal.ts';

/** The original tells its agent chats from its sessions by their folder alone. */
function kindOf(path: string, { agentChatsDir }: Config): SessionKind {
  const within = relative(agentChatsDir, resolve(path));
  // Another drive has no way there.
  return within.split(sep)[0] === '..' || isAbsolute(within) ? 'chat' : 'agent';
}

export async function runImport(config: Config, paths: readonly string[]): Promise<void> {
  const store = await openCommandStore(config).catch((error: unknown) => {
    throw asExit(error, config);
  });
  const ids = { newId: randomHex, now: timestampNow };
  const deps = {
    db: store.db,
    ...ids,
    openSnapshot: () => store.openSnapshot(),
    closeTurns: (db: typeof store.db, sessionId: string) => closeImportedTurns({ db, ...ids }, sessionId),
  };
  let unreadable = 0;
  try {
    for (const path of paths) {
      for await (const outcome of importSessions(deps, [path], kindOf(path, config))) {
        if (outcome.type === 'unreadable') unreadable += 1;
        say(`${describeOutcome(outcome)}\n`);
      }
    }
  } catch (error) {
    throw asExit(error, config);
  } finally {
    await store.close();
  }
  if (unreadable > 0) throw new ExitError(EXIT_FAILURE);
}
