// An earlier state of the repository in a folder of its own, ready to run.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './processes.ts';

export const HERE = fileURLToPath(new URL('..', import.meta.url));

/**
 * The files of a commit, and what they need: what is installed here where that is the same, else of its own.
 * @returns its folder, gone when the benchmark ends @throws Error when there is no such commit
 */
export function checkOut(ref: string): { readonly root: string; readonly commit: string } {
  const commit = git(['rev-parse', '--verify', '--short', `${ref}^{commit}`])
    .toString()
    .trim();
  const root = join(temporaryFolder(), 'checkout');
  mkdirSync(root);
  execFileSync('tar', ['-x', '-C', root], { input: git(['archive', commit]) });
  const lock = (folder: string) => readFileSync(join(folder, 'package-lock.json'), 'utf8');
  if (lock(root) === lock(HERE)) symlinkSync(join(HERE, 'node_modules'), join(root, 'node_modules'));
  else npm(['ci', '--prefer-offline', '--no-audit', '--no-fund'], root);
  return { root, commit };
}

/** dist/ as it is published. */
export function buildPackage(root: string): void {
  npm(['run', '--silent', 'build'], root);
}

function git(args: readonly string[]): Buffer {
  return execFileSync('git', args, { cwd: HERE, maxBuffer: 1024 ** 3, stdio: ['ignore', 'pipe', 'pipe'] });
}

function npm(args: readonly string[], cwd: string): void {
  execFileSync('npm', args, { cwd, stdio: ['ignore', 'ignore', 'pipe'], maxBuffer: 1024 ** 3 });
}
