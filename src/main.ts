// The command line: arguments → configuration → server → listen → close on a signal.
import module from 'node:module';
import { Command } from 'commander';
import { type Config, cliOptions, loadConfig } from './config.ts';
import { MochiError } from './contract/errors.ts';
import { randomHex } from './kit/ids.ts';
import { createLog } from './kit/log.ts';
import { redactUrl } from './kit/redact-url.ts';
import { trimMemory } from './kit/trim-memory.ts';
import { createServer } from './server.ts';
import { describeOutcome } from './sessions/import-on-first-start.ts';
import { importSessions } from './sessions/import-sessions.ts';
import { openStore, StoreOpenError } from './store/open-store.ts';
import { VERSION } from './version.ts';

/** Exit status for what the user can mend: arguments, configuration, data folder, port. */
const EXIT_USAGE = 2;

export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('mochi-server')
    .description('A headless chat server for local models, in front of Ollama.')
    .version(`mochi-server ${VERSION}`, '--version')
    .configureOutput({ outputError: (text, write) => write(text) })
    .exitOverride((error) => {
      throw new ExitError(error.exitCode === 0 ? 0 : EXIT_USAGE);
    });

  const serveCommand = withSettings(program.command('serve', { isDefault: true }))
    .description('serve the API (the default command)')
    .action(async (flags: Flags) => serve(configure(flags)));

  withSettings(program.command('import'))
    .description("import the original's session files (formats 1.0 to 1.4)")
    .argument('<path...>', 'folders with *.json files, or files')
    .action(async (paths: string[], flags: Flags) => runImport(configure(flags), paths));

  program.addHelpText('after', () => `\nThe default command:\n\n${serveCommand.helpInformation()}`);
  await program.parseAsync(argv, { from: 'user' });
}

type Flags = Readonly<Record<string, string | true | undefined>>;

/** Ends the process with a status after everything was said. */
export class ExitError extends Error {
  override readonly name = 'ExitError';
  readonly status: number;

  constructor(status: number) {
    super(`exit ${status}`);
    this.status = status;
  }
}

function withSettings(command: Command): Command {
  for (const { flags, description } of cliOptions()) command.option(flags, description);
  return command;
}

function configure(flags: Flags): Config {
  const loaded = loadConfig({ flags });
  for (const warning of loaded.warnings) process.stderr.write(`mochi-server: ${warning}\n`);
  if (loaded.ok) return loaded.config;
  throw complain(loaded.problems);
}

function complain(problems: readonly string[]): ExitError {
  for (const problem of problems) process.stderr.write(`mochi-server: ${problem}\n`);
  return new ExitError(EXIT_USAGE);
}

async function serve(config: Config): Promise<void> {
  const log = createLog({ level: config.logLevel, format: config.logFormat });
  ignoreFileSizeSignal();
  // From the start: a signal that comes with the ready line ends the process in order, too.
  const stopped = nextSignal();
  try {
    const server = await createServer(config, log);
    const url = await server.listen().catch(async (error: unknown) => {
      await server.close();
      throw error;
    });
    process.stdout.write(
      `mochi-server ${VERSION} is ready at ${url} (Ollama: ${redactUrl(config.ollamaHost)}, docs: ${url}/docs)\n`,
    );
    // Written now: a process that is killed would leave none for the next start.
    module.flushCompileCache();
    trimMemory();
    const signal = await stopped;
    log.info({ signal }, 'stopping');
    // A second signal ends the wait.
    void nextSignal().then(() => process.exit(1));
    await server.close();
  } catch (error) {
    throw asExit(error, config);
  }
}

async function runImport(config: Config, paths: readonly string[]): Promise<void> {
  const store = await openStore({ dataDir: config.dataDir, exclusive: false }).catch((error: unknown) => {
    throw asExit(error, config);
  });
  let unreadable = 0;
  try {
    for await (const outcome of importSessions({ db: store.db, newId: randomHex }, paths)) {
      if (outcome.type === 'unreadable') unreadable += 1;
      process.stdout.write(`${describeOutcome(outcome)}\n`);
    }
  } finally {
    await store.close();
  }
  if (unreadable > 0) throw new ExitError(1);
}

/** Plain words for what the user can mend; anything else goes on as it is. */
function asExit(error: unknown, config: Config): unknown {
  if (error instanceof StoreOpenError) return complain([error.message]);
  if (error instanceof MochiError) return complain([storedDataProblem(error, config)]);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const address = `${config.host}:${config.port}`;
  switch (code) {
    case 'EADDRINUSE':
      return complain([`${address} is in use. Choose another port with --port (0: any free one).`]);
    case 'EACCES':
      return complain([`${address} may not be opened by this user. Choose a port above 1023 with --port.`]);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return complain([`${config.host} is not an address of this machine (--host).`]);
    default:
      return error;
  }
}

/** What the store met while the server was being built. */
function storedDataProblem(error: MochiError, { dataDir }: Config): string {
  return error.kind === 'session_load_error'
    ? `The database in ${dataDir} is damaged. Put a backup in its place, or move it away to start anew.`
    : `The database in ${dataDir} cannot be written: ${error.message}`;
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
}

/** A limit on file sizes is then a failed write, like a full disk, and not the end of the process. */
function ignoreFileSizeSignal(): void {
  if (process.platform !== 'win32') process.on('SIGXFSZ' as NodeJS.Signals, () => undefined);
}
