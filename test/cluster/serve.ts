// A server in a process of its own, with a lease that is over soon: nobody who tests kills waits for half a minute.
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/kit/log.ts';
import { createServer } from '../../src/server.ts';

const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('MOCHI_')));
const loaded = loadConfig({ flags: { port: '0' }, env });
if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
const lease = JSON.parse(process.env['LEASE'] ?? 'null') ?? undefined;
const server = await createServer(loaded.config, createLog({ level: 'warn', format: 'json' }), { lease });
console.log(`is ready at ${await server.listen()} (`);
process.once('SIGTERM', () => {
  void server
    .drain()
    .then(() => server.close())
    .then(() => process.exit(0));
});
