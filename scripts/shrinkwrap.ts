// Before the package is packed: the versions it was tested with, for whoever installs it. With --remove, after it: beside
// the sources the file would take the place of the lock file.
import { rmSync, writeFileSync } from 'node:fs';
import { readProductionLock } from './production-lock.ts';

const FILE = new URL('../npm-shrinkwrap.json', import.meta.url);

if (process.argv.includes('--remove')) rmSync(FILE, { force: true });
else writeFileSync(FILE, readProductionLock().text);
