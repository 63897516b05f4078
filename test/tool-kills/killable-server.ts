// A server that can be told to end itself, as `kill -9` does, just before or just after its n-th commit from then on.
// Told by its parent over IPC, or by KILL_AT from its start on; nothing that it serves can tell it.
// `node killable-server.ts OLLAMA_URL FOLDER` prints its URL.
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { killAt, readKillPoint } from './kill-at-commit.ts';

module.enableCompileCache(
  fileURLToPath(new URL('../../node_modules/.cache/killable-server', import.meta.url)),
);
const [ollamaHost = '', dataDir = ''] = process.argv.slice(2);
killAt(dataDir, readKillPoint(process.env['KILL_AT'] ?? ''));
process.on('message', (point) => {
  killAt(dataDir, readKillPoint(String(point)));
  process.send?.('armed');
});
// It does not outlive its parent.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

const { loadConfig } = await import('../../src/config.ts');
const { createLog } = await import('../../src/kit/log.ts');
const { createServer } = await import('../../src/server.ts');
const loaded = loadConfig({ flags: { port: '0', dataDir, engine: 'ollama', ollamaHost }, env: {} });
if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
const server = await createServer(
  { ...loaded.config, summarizationEnabled: false, titlesEnabled: false },
  createLog({ level: 'error', format: 'json' }),
);
console.log(`ready at ${await server.listen()}`);
module.flushCompileCache();
