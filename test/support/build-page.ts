// Before any test: the page as its sources say, once for all of them.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export function setup(): void {
  const build = fileURLToPath(new URL('../../scripts/page.ts', import.meta.url));
  execFileSync(process.execPath, [build, '--if-stale'], { stdio: 'inherit' });
}
