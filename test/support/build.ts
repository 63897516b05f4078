// Before any test: the page and the bundle as their sources say, once for all of them. What runs in processes of its own
// is the bundle, as users have it, which also starts in a third of the time of the sources.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export function setup(): void {
  run('page.ts', '--if-stale');
  run('bundle-server.ts');
}

function run(script: string, ...args: readonly string[]): void {
  const file = fileURLToPath(new URL(`../../scripts/${script}`, import.meta.url));
  execFileSync(process.execPath, [file, ...args], { stdio: 'inherit' });
}
