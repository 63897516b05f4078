// A real store in a temporary folder, with a short way to sessions and messages.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { appendToPath } from '../../src/store/active-path.ts';
import type { Db } from '../../src/store/database.ts';
import type { NewMessage } from '../../src/store/insert-messages.ts';
import type { PathPlace } from '../../src/store/path-place.ts';
import { insertSession, type NewSession } from '../../src/store/sessions.ts';
import { dropDatabaseOf, openDatabaseOf } from './test-database.ts';

export const TIME = '2026-02-15T09:49:38.310281Z';

export interface TestStore {
  readonly db: Db;
  readonly dataDir: string;
  addSession(id: string, settings?: Partial<NewSession>): Promise<void>;
  /** @param id also its content, unless the settings say otherwise */
  append(parent: PathPlace | null, id: string, settings?: Partial<NewMessage>): Promise<PathPlace>;
  close(): Promise<void>;
}

/** An empty one. */
export function newSession(id: string, settings: Partial<NewSession> = {}): NewSession {
  return {
    id,
    model: 'llama3.2:latest',
    createdAt: TIME,
    updatedAt: TIME,
    title: null,
    metadata: {},
    toolSettings: { tools: [], execution_policy: 'always_confirm', tool_policies: {} },
    agentSettings: { enabled_agents: [] },
    contextWindow: {
      dynamic_enabled: true,
      current_window: 8192,
      last_adjustment: 'initial_setup',
      adjustment_history: [],
      manual_override: false,
    },
    summaryModel: null,
    ...settings,
  };
}

/** Messages go into the session `s`, which is there. */
export async function openTestStore(): Promise<TestStore> {
  const dataDir = mkdtempSync(join(tmpdir(), 'mochi-store-'));
  const { db, close } = await openDatabaseOf(dataDir, { exclusive: true });
  const store: TestStore = {
    db,
    dataDir,
    addSession: (id, settings = {}) => insertSession(db, newSession(id, settings)),
    append: (parent, id, settings = {}) =>
      appendToPath(db, parent, {
        sessionId: 's',
        id,
        role: 'user',
        content: id,
        timestamp: TIME,
        status: 'complete',
        ...settings,
      }),
    async close() {
      await close();
      await dropDatabaseOf(dataDir);
      rmSync(dataDir, { recursive: true });
    },
  };
  await store.addSession('s');
  return store;
}
