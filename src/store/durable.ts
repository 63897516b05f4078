// When a commit counts. Whatever is written through the database that is handed around resolves once it is durable: on
// the disk, so that a power cut keeps it. Two ways out are here, each for the few files that store/durable.test.ts names.
import { type ConnectionProvider, type Dialect, type Driver, Kysely, sql } from 'kysely';
import type { ChangeNotes, StoreChange } from './change-notes.ts';
import type { Database, Db } from './database.ts';
import type { LogSync } from './log-sync.ts';

type Action<T> = (db: Db) => Promise<T>;

interface EarlyCommit<T> {
  readonly result: T;
  /** Resolves when it is on the disk. Nobody may be told of it before. */
  readonly durable: Promise<void>;
}

/** Of a database whose commits share syncs, or that has its own way. Every other one syncs in each commit. */
interface CommitWays {
  unsynced<T>(action: Action<T>): Promise<T>;
  early?<T>(action: Action<T>): Promise<EarlyCommit<T>>;
  /** What waits for a database that is away. */
  readonly patient?: Db;
}

const waysOf = new WeakMap<Db, CommitWays>();

/** For a database that has its own ways. */
export function setCommitWays(db: Db, ways: CommitWays): void {
  waysOf.set(db, ways);
}

/**
 * The same database for whoever cannot be asked to try again, such as a turn that runs: where it can be away while the
 * server runs, what is asked of it is done when it is back. A transaction may then begin several times.
 */
export function patientDb(db: Db): Db {
  return waysOf.get(db)?.patient ?? db;
}

export function isPatientDb(db: Db): boolean {
  return waysOf.get(db)?.patient === db;
}

/**
 * A transaction that resolves without waiting for the disk, for what may be a moment late there: a killed process keeps
 * it, a power cut can undo it until the next sync. No client may be told of it.
 */
export async function commitUnsynced<T>(db: Db, action: Action<T>): Promise<T> {
  const ways = waysOf.get(db);
  if (ways !== undefined) return ways.unsynced(action);
  return db.connection().execute(async (connection) => {
    await sql`pragma synchronous = normal`.execute(connection);
    try {
      return await connection.transaction().execute(action);
    } finally {
      await sql`pragma synchronous = full`.execute(connection);
    }
  });
}

/** A transaction that resolves when it is committed, and says when it is durable: for work that can be done meanwhile. */
export async function commitEarly<T>(db: Db, action: Action<T>): Promise<EarlyCommit<T>> {
  const early = waysOf.get(db)?.early;
  if (early !== undefined) return early(action);
  return { result: await db.transaction().execute(action), durable: Promise.resolve() };
}

interface CommitLog {
  /** Null: each commit is durable when it returns. Else `synchronous` is NORMAL. */
  readonly logSync: LogSync | null;
  readonly notes: ChangeNotes;
  /** How many commits there were. */
  readonly commits: () => number;
}

interface BareDatabase {
  /** Its commits resolve when SQLite has made them, and nobody is told what they changed. */
  readonly bare: Db;
  readonly dialect: Dialect;
  readonly driver: Driver;
}

/** After a commit, once others can have the connection. */
type CommitEnd = (changes: readonly StoreChange[]) => Promise<void> | void;

/**
 * @returns the same database: whoever writes through it waits for the disk, together with all others that do, and only
 *   then listeners hear of the change. Who reads waits for nobody
 */
export function finishCommits(database: BareDatabase, log: CommitLog): Db {
  const { logSync, notes } = log;
  const unsynced = endingWith(database, log, (changes) => notes.tell(changes));
  if (logSync === null) return unsynced;
  const db = endingWith(database, log, async (changes) => {
    await logSync.synced();
    notes.tell(changes);
  });
  let untold: StoreChange[] = [];
  const early = endingWith(database, log, (changes) => {
    untold.push(...changes);
  });
  waysOf.set(db, {
    unsynced: (action) => unsynced.transaction().execute(action),
    async early(action) {
      const result = await early.transaction().execute(action);
      const changes = untold;
      untold = [];
      return { result, durable: logSync.synced().then(() => notes.tell(changes)) };
    },
  });
  return db;
}

function endingWith(
  { bare, dialect, driver }: BareDatabase,
  { commits, notes }: CommitLog,
  end: CommitEnd,
): Db {
  const own = bare.getExecutor();
  const connections: ConnectionProvider = {
    async provideConnection(consumer, options) {
      let changes: StoreChange[] | null = null;
      const result = await own.provideConnection(async (connection) => {
        const before = commits();
        try {
          return await consumer(connection);
        } finally {
          // While nobody else can have written.
          if (commits() !== before) changes = notes.take();
        }
      }, options);
      if (changes !== null) await end(changes);
      return result;
    },
  };
  const executor = own.withConnectionProvider(connections);
  return new Kysely<Database>({ config: { dialect }, dialect, driver, executor });
}
