// Python with the clients in the versions of requirements.txt, in a folder of its own that is made once.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache', import.meta.url));
/** Half a gigabyte from a registry that may be far. */
const INSTALL_LIMIT_MS = 900_000;

export type PythonEnvironment = { readonly python: string } | { readonly missing: string };

export function openPythonEnvironment(): PythonEnvironment {
  const version = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 12);
  const folder = join(CACHE, `python-clients-${version}`);
  const python = join(folder, 'bin', 'python');
  const whole = join(folder, 'whole');
  if (existsSync(whole)) return { python };
  rmSync(folder, { recursive: true, force: true });
  const missing =
    run(
      'python3',
      ['-c', 'import sys; sys.exit(sys.version_info < (3, 10))'],
      'Python 3.10 or later is needed',
    ) ??
    run('python3', ['-m', 'venv', folder], 'no virtual environment can be made') ??
    run(
      python,
      ['-m', 'pip', 'install', '--quiet', '--only-binary', ':all:', '--requirement', REQUIREMENTS],
      'the clients cannot be installed',
    );
  if (missing !== null) return { missing };
  writeFileSync(whole, '');
  return { python };
}

/** @returns why it failed; null when it did not */
function run(command: string, args: readonly string[], what: string): string | null {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: INSTALL_LIMIT_MS });
  return status === 0 ? null : `${what}: ${(error?.message ?? stderr).trim().split('\n').at(-1)}`;
}
