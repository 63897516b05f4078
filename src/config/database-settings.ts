// The settings of the database: a part of the one table.
import { oneOf, type Parser, wholeNumber } from './parsers.ts';
import type { Setting } from './setting.ts';

export interface DatabaseConfig {
  /** Secret: it may hold a password. null: SQLite in the data folder. */
  readonly databaseUrl: string | null;
  readonly databasePool: number;
  /** Where other servers on the database reach this one; null: they do not, or on this machine. */
  readonly instanceUrl: string | null;
  /** commit: in each commit, on the event loop. */
  readonly sqliteSync: 'commit' | 'shared';
}

const databaseUrl: Parser<string> = {
  valueName: 'url',
  expected:
    'a URL such as postgres://user:password@host:5432/database; in a name or a password each of : / ? # [ ] @ % and blanks is written as % and its code',
  parse: (text) => (isPostgresUrl(text) ? text : undefined),
};

/** @returns why a text names no database, as "must …"; null where it does */
export function databaseUrlFault(text: string): string | null {
  return isPostgresUrl(text) ? null : `must be ${databaseUrl.expected}`;
}

/** One that names a database; what it means is not lost on the way to the driver. */
function isPostgresUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol) || /\s/.test(text)) return false;
  // A password with such a sign in it would be cut there, and the rest taken for a part of the address.
  if (text.includes('#') || url.username.includes('/') || url.pathname.slice(1).includes('/')) return false;
  const { host = url.hostname } = Object.fromEntries(url.searchParams);
  return (
    host !== '' && url.pathname.length > 1 && [url.username, url.password, url.pathname].every(isDecodable)
  );
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

const instanceUrl: Parser<string> = {
  valueName: 'url',
  expected: 'the URL at which other servers reach this one, such as http://10.0.0.5:8000',
  parse: (text) => {
    const url = URL.parse(text);
    const isPlain =
      url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
    return isPlain && url.pathname === '/' && url.search === '' && url.hash === '' ? url.origin : undefined;
  },
};

const sqliteSync = oneOf<DatabaseConfig['sqliteSync']>('way', 'shared or commit', {
  shared: 'shared',
  commit: 'commit',
});

export const databaseSettings: { readonly [Key in keyof DatabaseConfig]: Setting<DatabaseConfig[Key]> } = {
  databaseUrl: {
    parser: databaseUrl,
    default: null,
    description:
      'A PostgreSQL database to keep everything in that otherwise is in `mochi.db`: `postgres://user:password@host:5432/database`',
    flag: 'none',
  },
  databasePool: {
    parser: wholeNumber(2, 1000),
    default: 10,
    description: 'Connections to PostgreSQL at most',
  },
  instanceUrl: {
    parser: instanceUrl,
    default: null,
    description:
      'With several servers on one PostgreSQL database: where the others reach this one, such as `http://10.0.0.5:8000`',
  },
  sqliteSync: {
    parser: sqliteSync,
    default: 'shared',
    description:
      'How commits reach the disk: shared: one sync for all that wait for it; commit: each by itself, as always on macOS',
  },
};
