// A database of PostgreSQL as it may be shown: where it is and what it is called.

/** Nothing of the user, the password or what follows the name. */
export function shownUrl(url: string): string {
  const { hostname, port, pathname, searchParams } = new URL(url);
  const host = searchParams.get('host') ?? hostname;
  const place = host.startsWith('/')
    ? `[${host}]`
    : `${host}:${searchParams.get('port') ?? (port || '5432')}`;
  return `postgres://${place}${pathname}`;
}

/** What the programs of PostgreSQL know as well, and nobody has to keep to themselves. */
const SHARED = new Set(['host', 'port', 'sslmode', 'sslrootcert', 'application_name']);

/** The URL for another program, without the password. */
export function commandUrl(url: string): string {
  const own = new URL(url);
  own.password = '';
  for (const name of Array.from(own.searchParams.keys())) {
    if (!SHARED.has(name)) own.searchParams.delete(name);
  }
  return own.href;
}
