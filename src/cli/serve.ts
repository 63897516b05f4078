// `mochi-server serve`: server → listen → close on a signal.
import module from 'node:module';
import type { Config } from '../config.ts';
import { createLog } from '../kit/log.ts';
import { networkFileSystemOf } from '../kit/network-file-system.ts';
import { IdleTrim, trimMemory } from '../kit/trim-memory.ts';
import { createServer, type ServerOptions } from '../server.ts';
import { VERSION } from '../version.ts';
import { ignoreFileSizeSignal } from './command.ts';
import { asExit } from './explain-error.ts';
import { describeEngine } from './ready-lines.ts';
import { say } from './terminal.ts';

export async function serve(config: Config, options: ServerOptions): Promise<void> {
  const log = createLog({ level: config.logLevel, format: config.logFormat });
  ignoreFileSizeSignal();
  const network = config.databaseUrl === null ? networkFileSystemOf(config.dataDir) : null;
  if (network !== null)
    log.warn({ network }, 'the data folder is on a network file system, where SQLite can lose data');
  // From the start: a signal that comes with the ready line ends the process in order, too.
  const stopped = nextSignal();
  try {
    const server = await createServer(config, log, options);
    const url = await server.listen().catch(async (error: unknown) => {
      await server.close();
      throw error;
    });
    const engine = await describeEngine(server.engine, config, url);
    say(
      `mochi-server ${VERSION} is ready at ${url} (${engine.name}, docs: ${url}/docs)\n${engine.firstSteps}`,
    );
    void server.engine.prepare?.();
    void server.engine.health().then(({ problem }) => {
      if (problem !== undefined) log.warn({ code: problem.code }, problem.message);
    });
    // Written now: a process that is killed would leave none for the next start.
    module.flushCompileCache();
    trimMemory();
    const idle = new IdleTrim(() => server.progress());
    idle.start();
    const signal = await stopped;
    idle.stop();
    log.info({ signal }, 'stopping');
    // A second signal ends the wait.
    void nextSignal().then(() => process.exit(1));
    // Who sits at a terminal waits for nobody.
    if (signal === 'SIGTERM' && config.drainSeconds > 0) await server.drain();
    await server.close();
  } catch (error) {
    throw asExit(error, config);
  }
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
      process.once(signal, () => resolve(signal));
  });
}
