#!/usr/bin/env node
// The entry of the command: checks the runtime before anything that needs it is loaded.
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const NEEDED: readonly [number, number] = [22, 19];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  process.stderr.write(
    `mochi-server needs Node ${NEEDED.join('.')} or newer; this is ${process.versions.node}.\n`,
  );
  process.exitCode = 2;
} else {
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
