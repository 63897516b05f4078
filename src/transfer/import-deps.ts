// What imports may touch, and what they say.
import type { Db } from '../store/database.ts';
import type { Snapshot } from '../store/open-snapshot.ts';

export interface ImportDeps {
  readonly db: Db;
  /** @param digits even number of hex digits */
  readonly newId: (digits: number) => string;
  /** The stored data as it is now, to read in peace. */
  readonly openSnapshot: () => Promise<Snapshot>;
  /** Closes what was under way when the session was exported. Inside the import's transaction. */
  readonly closeTurns: (db: Db, sessionId: string) => Promise<void>;
}

/** What became of a session; `known`: its content is there already. */
export type StoredImport =
  | { readonly type: 'imported'; readonly sessionId: string; readonly messages: number }
  | { readonly type: 'known'; readonly sessionId: string };
