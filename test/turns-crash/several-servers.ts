// Several servers in one process, a data folder each, so that one kill hits many moments: most of a start is loading
// modules. `node several-servers.ts OLLAMA_URL FOLDER…` prints one line with the URLs.
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/kit/log.ts';
import { createServer } from '../../src/server.ts';

const [ollamaHost = '', ...folders] = process.argv.slice(2);
const urls: string[] = [];
for (const dataDir of folders) {
  const loaded = loadConfig({ flags: { port: '0', dataDir, engine: 'ollama', ollamaHost }, env: {} });
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  const server = await createServer(loaded.config, createLog({ level: 'error', format: 'json' }));
  urls.push(await server.listen());
}
console.log(`ready ${JSON.stringify(urls)}`);
