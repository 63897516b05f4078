// The store as a command has it, beside the servers that use it: in whichever database they do.
import type { Db } from './database.ts';
import { openPostgres } from './dialect/postgres/open.ts';
import { openSnapshot, type Snapshot } from './open-snapshot.ts';
import { openStore } from './open-store.ts';

export interface StorePlace {
  readonly dataDir: string;
  /** Null: a database of SQLite in the data folder. */
  readonly databaseUrl: string | null;
}

export interface CommandStore {
  readonly db: Db;
  openSnapshot(): Promise<Snapshot>;
  close(): Promise<void>;
}

/** One that writes and one that reads meanwhile. */
const CONNECTIONS = 2;

/** @throws StoreOpenError */
export async function openCommandStore({ dataDir, databaseUrl: url }: StorePlace): Promise<CommandStore> {
  if (url !== null) return openPostgres({ url, pool: CONNECTIONS });
  const store = await openStore({ dataDir, exclusive: false });
  return { db: store.db, openSnapshot: () => openSnapshot(dataDir), close: () => store.close() };
}

/** To read from only, also in a read-only folder. @throws StoreOpenError */
export async function openCommandSnapshot({ dataDir, databaseUrl: url }: StorePlace): Promise<Snapshot> {
  if (url === null) return openSnapshot(dataDir);
  const store = await openPostgres({ url, pool: CONNECTIONS });
  try {
    const snapshot = await store.openSnapshot();
    return {
      db: snapshot.db,
      async close() {
        await snapshot.close();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}
