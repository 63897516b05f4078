// The store of a server, in whichever database it is.
import type { Log } from '../kit/log.ts';
import type { ChangeListener } from './change-notes.ts';
import type { Db } from './database.ts';
import { Indexing } from './dialect/postgres/indexing.ts';
import { openPostgres, type PostgresStore } from './dialect/postgres/open.ts';
import { Erasure } from './erasure.ts';
import { LogMoving } from './log-moving.ts';
import { openSnapshot, type Snapshot } from './open-snapshot.ts';
import { type OpenStoreOptions, openStore } from './open-store.ts';
import { watchDatabase } from './rescue-database.ts';

export interface ServedStore {
  /** Whatever is written through it resolves once it is durable. */
  readonly db: Db;
  /** What it took to bring the schema up to date. */
  readonly migrationMs: number;
  /** Tells which sessions and turns are changed. */
  onChange(listener: ChangeListener): void;
  /** @throws MochiError what is written now would not be stored, or not soon */
  refuseTrouble(): void | Promise<void>;
  /** Of a database that several servers may share: what is said on a connection that stays open; null: there is one. */
  readonly keep: PostgresStore['keep'] | null;
  /** As it is at this moment, for readers that take their time. */
  openSnapshot(): Promise<Snapshot>;
  /** What goes on beside the requests: for as long as the store is open. */
  tend(log: Log): { close(): Promise<void> };
  /** Nobody waits any more for a database that is away: the server ends. */
  hurry(): void;
  close(): Promise<void>;
  /** Closes it and changes nothing any more: after a fault. */
  leave(): Promise<void>;
}

export interface ServedStoreOptions extends Omit<OpenStoreOptions, 'exclusive'> {
  /** Of PostgreSQL, with its password; null: a database of SQLite in the data folder. */
  readonly databaseUrl: string | null;
  /** Connections to PostgreSQL at most. */
  readonly databasePool: number;
}

/** @throws StoreOpenError */
export async function openServedStore(options: ServedStoreOptions): Promise<ServedStore> {
  const { databaseUrl: url, databasePool: pool, ...files } = options;
  return url === null ? serveSqlite(files) : servePostgres(await openPostgres({ url, pool }));
}

async function serveSqlite(options: Omit<OpenStoreOptions, 'exclusive'>): Promise<ServedStore> {
  const store = await openStore({ ...options, exclusive: true });
  return {
    db: store.db,
    migrationMs: store.migrationMs,
    onChange: store.onChange,
    refuseTrouble: store.refuseTrouble,
    keep: null,
    async openSnapshot() {
      // Opened by its name, under which there may be another one meanwhile.
      store.guard.refuseLoss();
      return openSnapshot(options.dataDir);
    },
    tend(log) {
      const watch = watchDatabase(store, log);
      const erasure = new Erasure(store, log);
      erasure.start();
      const { writeLog } = store;
      const moving = writeLog && new LogMoving({ ...store, writeLog }, log);
      return {
        async close() {
          await erasure.close();
          await moving?.close();
          await watch.close();
        },
      };
    },
    hurry: () => undefined,
    close: store.close,
    leave: store.leave,
  };
}

function servePostgres({ watch, ...store }: PostgresStore): ServedStore {
  const { close } = store;
  return {
    ...store,
    tend(log) {
      watch(log);
      const indexing = new Indexing(store.db, log);
      return { close: () => indexing.close() };
    },
    leave: close,
  };
}
