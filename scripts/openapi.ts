// Writes what is made from the running application's schemas (openapi.json, the types of the client), or checks that
// what is in the repository is current.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../src/config.ts';
import { createLog } from '../src/kit/log.ts';
import { createServer } from '../src/server.ts';
import { wireTypes } from './wire-types.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'mochi-openapi-'));
const loaded = loadConfig({ flags: { port: '0', dataDir, engine: 'ollama' }, env: {} });
if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
const server = await createServer(loaded.config, createLog({ level: 'fatal', format: 'json' }));
const url = await server.listen();
const document = (await (await fetch(`${url}/openapi.json`)).json()) as Parameters<typeof wireTypes>[0];
await server.close();
rmSync(dataDir, { recursive: true });

const made = {
  'openapi.json': `${JSON.stringify(document, null, 2)}\n`,
  'src/client/wire.ts': await wireTypes(document),
};
for (const [name, text] of Object.entries(made)) {
  const file = new URL(`../${name}`, import.meta.url);
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    process.stderr.write(`${name} is not current: run npm run openapi\n`);
    process.exitCode = 1;
  }
}
