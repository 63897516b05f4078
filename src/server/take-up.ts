// Before the server serves: what the last run left open, and what the original left in its folders.
import { closeImportedTurns, type RecoverDeps, recoverTurns } from '../chat/recover-turns.ts';
import type { Config } from '../config.ts';
import type { Log } from '../kit/log.ts';
import type { Db } from '../store/database.ts';
import type { ServedStore } from '../store/served-store.ts';
import { nameInstance } from '../store/tenure.ts';
import { importOnFirstStart } from '../transfer/import-on-first-start.ts';

export async function takeUp(
  deps: RecoverDeps & Pick<ServedStore, 'keep' | 'openSnapshot'> & { readonly log: Log },
  config: Config,
): Promise<void> {
  const { db, log, newId, now, keep, openSnapshot } = deps;
  if (keep !== null) nameInstance(db, deps.bootId);
  // Where others may use the database, what is left of whom is known when it serves.
  const { closed, asked } = keep === null ? await recoverTurns(deps) : { closed: 0, asked: 0 };
  if (closed > 0) log.warn({ turns: closed }, 'turns of the last run were closed as interrupted');
  if (asked > 0) {
    log.warn({ turns: asked }, 'turns wait to be told what became of tools that ran when the server stopped');
  }
  const importing = {
    db,
    newId,
    now,
    openSnapshot,
    closeTurns: (transaction: Db, sessionId: string) =>
      closeImportedTurns({ db: transaction, newId, now }, sessionId),
    log,
  };
  await importOnFirstStart({ ...importing, kind: 'chat', folder: config.sessionsDir });
  await importOnFirstStart({ ...importing, kind: 'agent', folder: config.agentChatsDir });
}
