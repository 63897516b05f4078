// Prints what the package brings to those who install it: what is installed with it and, once it is built, what it holds;
// each package with its version and its licence.
import { existsSync, readFileSync } from 'node:fs';
import { readProductionLock } from './production-lock.ts';

const installed = [...readProductionLock().packages].map(([path, { version, license }]) => [
  path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
  version,
  license ?? 'UNKNOWN',
]);
const held = ['dist/licenses.md', 'dist/web/licenses.md'].flatMap((name) => {
  const file = new URL(`../${name}`, import.meta.url);
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return [...text.matchAll(/^## (\S+) - (\S+) \((.+)\)$/gm)].map((match) => match.slice(1));
});
const rows = [...installed, ...held];
const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
for (const row of rows) {
  process.stdout.write(`${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}\n`);
}
