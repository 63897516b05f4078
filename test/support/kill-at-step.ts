// To be loaded before a program (`node --import`): ends it as `kill -9` does, just before the n-th change that it
// makes to the names of files.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const last = Number(process.env['KILL_AT_STEP']);
let step = 0;

for (const name of ['mkdirSync', 'linkSync', 'renameSync', 'rmSync'] as const) {
  const real = fs[name] as (...args: unknown[]) => unknown;
  Object.assign(fs, {
    [name]: (...args: unknown[]) => {
      step += 1;
      if (step === last) process.kill(process.pid, 'SIGKILL');
      return real(...args);
    },
  });
}
syncBuiltinESMExports();
