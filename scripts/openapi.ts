// Writes openapi.json from the running application's schemas, or checks that the one in the repository is current.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../src/config.ts';
import { createLog } from '../src/kit/log.ts';
import { createServer } from '../src/server.ts';

const FILE = new URL('../openapi.json', import.meta.url);

const dataDir = mkdtempSync(join(tmpdir(), 'mochi-openapi-'));
const loaded = loadConfig({ flags: { port: '0', dataDir, engine: 'ollama' }, env: {} });
if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
const server = await createServer(loaded.config, createLog({ level: 'fatal', format: 'json' }));
const url = await server.listen();
const document: unknown = await (await fetch(`${url}/openapi.json`)).json();
await server.close();
rmSync(dataDir, { recursive: true });

const text = `${JSON.stringify(document, null, 2)}\n`;
if (process.argv.includes('--check')) {
  if (readFileSync(FILE, 'utf8') !== text) {
    process.stderr.write('openapi.json is not current: run npm run openapi\n');
    process.exitCode = 1;
  }
} else {
  writeFileSync(FILE, text);
}
