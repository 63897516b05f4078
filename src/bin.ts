#!/usr/bin/env node
// The entry of the command: checks the runtime before anything that needs it is loaded.
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { nodeFault } from './kit/node-version.ts';

const fault = nodeFault();
if (fault !== null) {
  process.stderr.write(`${fault}\n`);
  process.exitCode = 2;
} else {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', noteLostOutput);
  // A second start need not compile again. Inside the package, where nobody else can write.
  module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/mochi-server', import.meta.url)));
  const { ExitError } = await import('./cli/command.ts');
  const { main } = await import('./main.ts');
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof ExitError)) throw error;
    process.exitCode = error.status;
  }
}

/** Whoever reads our output may stop, as `head` does: that is no fault. What cannot be written for another reason is. */
function noteLostOutput(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') process.exitCode = 1;
}
