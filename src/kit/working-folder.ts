// Where a program of somebody else is started.
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/**
 * The folder, or that of temporary files while it is not there, as the data folder before the first start of a server: a
 * system starts nothing where nothing is, and says that the program is missing.
 */
export function workingFolder(folder: string): string {
  return existsSync(folder) ? folder : tmpdir();
}
