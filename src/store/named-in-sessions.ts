// The tools and agents that sessions name, read beside whoever writes to the database.
import type { StorePlace } from './command-store.ts';
import { readRows } from './open-reader.ts';
import { parseStored } from './parse-stored.ts';

export interface NamedInSessions {
  /** As sessions name them: of tools, names and globs. */
  readonly names: readonly string[];
  /** How many sessions name just these. */
  readonly sessions: number;
}

/** Empty where the database cannot be read like this. */
export function listNamedTools(place: StorePlace): Promise<NamedInSessions[]> {
  return listNamed(place, 'tool_settings', 'tools');
}

/** Alike. */
export function listNamedAgents(place: StorePlace): Promise<NamedInSessions[]> {
  return listNamed(place, 'agent_settings', 'enabled_agents');
}

async function listNamed(
  place: StorePlace,
  column: 'tool_settings' | 'agent_settings',
  key: string,
): Promise<NamedInSessions[]> {
  const rows = await readRows<{ settings: string; sessions: number }>(
    place,
    `select ${column} as settings, count(*) as sessions from sessions where ${column} is not null group by ${column}`,
  );
  const byNames = new Map<string, NamedInSessions>();
  for (const { settings, sessions } of rows) {
    const names = namesIn(settings, key);
    if (names.length === 0) continue;
    const before = byNames.get(names.join())?.sessions ?? 0;
    byNames.set(names.join(), { names, sessions: before + sessions });
  }
  return [...byNames.values()];
}

function namesIn(settings: string, key: string): string[] {
  try {
    const stored: Readonly<Record<string, unknown>> = Object(parseStored(settings));
    const names: readonly unknown[] = Array.isArray(stored[key]) ? stored[key] : [];
    return names.filter((name) => typeof name === 'string');
  } catch {
    // Damaged: whoever opens the session is told.
    return [];
  }
}
