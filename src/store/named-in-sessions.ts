// The tools and agents that sessions name, read beside whoever writes to the database.
import { databaseFile } from './database-files.ts';
import { openReadable } from './open-readable.ts';
import { parseStored } from './parse-stored.ts';

export interface NamedInSessions {
  /** As sessions name them: of tools, names and globs. */
  readonly names: readonly string[];
  /** How many sessions name just these. */
  readonly sessions: number;
}

/** Empty where the database cannot be read like this: the examination of the database says why. */
export function listNamedTools(dataDir: string): NamedInSessions[] {
  return listNamed(dataDir, 'tool_settings', '$.tools');
}

/** Alike. */
export function listNamedAgents(dataDir: string): NamedInSessions[] {
  return listNamed(dataDir, 'agent_settings', '$.enabled_agents');
}

function listNamed(
  dataDir: string,
  column: 'tool_settings' | 'agent_settings',
  path: string,
): NamedInSessions[] {
  try {
    const { driver, close } = openReadable(databaseFile(dataDir));
    try {
      const rows = driver
        .prepare<[string, string], { names: string; sessions: number }>(
          `select json_extract(${column}, ?) as names, count(*) as sessions from sessions
           where json_valid(${column}) and json_array_length(${column}, ?) > 0 group by names`,
        )
        .all(path, path);
      return rows.map(({ names, sessions }) => {
        const entries: readonly unknown[] = parseStored(names);
        return { names: entries.filter((entry) => typeof entry === 'string'), sessions };
      });
    } finally {
      close();
    }
  } catch {
    return [];
  }
}
