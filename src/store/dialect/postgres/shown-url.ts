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
