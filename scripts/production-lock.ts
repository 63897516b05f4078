// The lock file of what users of the package install: ours without what only development needs, version by version.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface LockedPackage {
  readonly version: string;
  readonly license?: string;
}

export interface ProductionLock {
  /** As npm writes it. */
  readonly text: string;
  /** By path, such as `node_modules/fastify`; the package itself is not one of them. */
  readonly packages: ReadonlyMap<string, LockedPackage>;
}

/** npm leaves out what is not needed; nothing is fetched. @throws Error with what npm says */
export function readProductionLock(): ProductionLock {
  const folder = mkdtempSync(join(tmpdir(), 'mochi-lock-'));
  try {
    const lock = join(folder, 'package-lock.json');
    copyFileSync(fileURLToPath(new URL('../package-lock.json', import.meta.url)), lock);
    const {
      devDependencies: _dev,
      workspaces: _tools,
      scripts: _scripts,
      ...manifest
    } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    const args = [
      'install',
      '--package-lock-only',
      '--offline',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
    ];
    const { status, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`npm ${args.join(' ')}: ${stderr}`);
    const text = readFileSync(lock, 'utf8');
    const { '': _root, ...packages }: Record<string, LockedPackage> = JSON.parse(text).packages;
    return { text, packages: new Map(Object.entries(packages)) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
