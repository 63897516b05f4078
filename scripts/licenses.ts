// Prints what the package brings to those who install it: each package, its version and its licence.
import { readProductionLock } from './production-lock.ts';

const rows = [...readProductionLock().packages].map(([path, { version, license }]) => [
  path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
  version,
  license ?? 'UNKNOWN',
]);
const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
for (const row of rows) {
  process.stdout.write(`${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}\n`);
}
