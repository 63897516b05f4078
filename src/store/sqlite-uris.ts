// Names of databases may be URIs, which say how to open. The driver looks at the variable once, when the first
// database is opened, and has no option for it.
import { pathToFileURL } from 'node:url';

process.env['SQLITE_USE_URI'] ??= '1';

/** @param how such as `immutable=1`: https://sqlite.org/c3ref/open.html#urifilenameexamples */
export function databaseUri(path: string, how: string): string {
  return `${pathToFileURL(path).href}?${how}`;
}
