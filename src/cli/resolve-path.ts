// A path as a person types it: `~/` is the home folder, as a shell has it.
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

export function resolvePath(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : resolve(path);
}
