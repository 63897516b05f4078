// The types of the package: the declarations that its entries lead to, and no others.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const ENTRIES = ['index.d.ts', 'tools/groups/define-tool.d.ts'];

const made = mkdtempSync(join(tmpdir(), 'mochi-types-'));
const compiler = at('node_modules/typescript/bin/tsc');
execFileSync(process.execPath, [compiler, '-p', at('tsconfig.build.json'), '--outDir', made], {
  stdio: 'inherit',
});
const reached = new Set<string>();
const open = [...ENTRIES];
for (let path = open.pop(); path !== undefined; path = open.pop()) {
  if (reached.has(path)) continue;
  reached.add(path);
  cpSync(join(made, path), at(`dist/${path}`));
  const text = readFileSync(join(made, path), 'utf8');
  for (const [, from = ''] of text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"']+)["']/g)) {
    open.push(join(path, '..', from.replace(/\.[jt]s$/, '.d.ts')));
  }
}
rmSync(made, { recursive: true });
