// Servers on one database of PostgreSQL, which syncs its disk as it would for a user.
import { type OwnPostgres, startOwnPostgres } from '../test/support/postgres.ts';
import { type Program, type ServerKind, startServer, temporaryFolder } from './processes.ts';
import { WITHOUT_LIMITS } from './sides.ts';

export interface SharedDatabase {
  readonly url: string;
  /** One more on it, in front of the engine. */
  startServer(engine: Program, env?: Readonly<Record<string, string>>): Promise<Program>;
  stop(): Promise<void>;
}

/** Null: there is no PostgreSQL on this machine. */
export async function startSharedDatabase(kind: ServerKind): Promise<SharedDatabase | null> {
  const postgres: OwnPostgres | null = await startOwnPostgres();
  if (postgres === null) return null;
  await postgres.halt();
  await postgres.start(['fsync=on', 'full_page_writes=on']);
  const { url } = postgres;
  return {
    url,
    startServer: (engine, env = {}) =>
      startServer({
        kind,
        dataDir: temporaryFolder(),
        ollamaUrl: engine.url,
        env: { ...WITHOUT_LIMITS, MOCHI_DATABASE_URL: url, ...env },
      }),
    stop: () => postgres.stop(),
  };
}
