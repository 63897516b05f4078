// Loaded before a program (`node --import`): at each SIGUSR2 it writes down how many bytes of its heap are in use.
import { renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

// Machine code of functions that a run makes hot is the program's, however many streams it was that did so.
for (const flag of ['--no-opt', '--no-maglev', '--no-sparkplug', '--no-flush-bytecode'])
  setFlagsFromString(flag);
setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');
/** What lies beside it for a buffer is a part of it. */
function heapInUse(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const file = process.env['HEAP_USED'] ?? '';
process.on('SIGUSR2', () => {
  collectGarbage();
  collectGarbage();
  writeFileSync(`${file}.new`, String(heapInUse()));
  renameSync(`${file}.new`, file);
});
