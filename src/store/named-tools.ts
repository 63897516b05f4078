// The tools that sessions name, read beside whoever writes to the database.
import { databaseFile } from './database-files.ts';
import { openReadable } from './open-readable.ts';
import { parseStored } from './parse-stored.ts';

export interface NamedTools {
  /** As sessions name them: names and globs. */
  readonly tools: readonly string[];
  /** How many sessions name just these. */
  readonly sessions: number;
}

/** Empty where the database cannot be read like this: the examination of the database says why. */
export function listNamedTools(dataDir: string): NamedTools[] {
  try {
    const { driver, close } = openReadable(databaseFile(dataDir));
    try {
      const rows = driver
        .prepare<[], { tools: string; sessions: number }>(
          `select json_extract(tool_settings, '$.tools') as tools, count(*) as sessions from sessions
           where json_valid(tool_settings) and json_array_length(tool_settings, '$.tools') > 0 group by tools`,
        )
        .all();
      return rows.map(({ tools, sessions }) => {
        const entries: readonly unknown[] = parseStored(tools);
        return { tools: entries.filter((entry) => typeof entry === 'string'), sessions };
      });
    } finally {
      close();
    }
  } catch {
    return [];
  }
}
