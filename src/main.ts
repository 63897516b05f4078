// The command line: arguments → configuration → command.
import { Command, Option } from 'commander';
import { addApprovalCommands } from './cli/approval-commands.ts';
import { configure, EXIT_USAGE, ExitError, type Flags, withSettings } from './cli/command.ts';
import { addModelCommands } from './cli/model-commands.ts';
import { addToolCommands } from './cli/tool-commands.ts';
import { EXPORT_FORMATS, type ExportFormat } from './contract/jsonl.ts';
import { VERSION } from './version.ts';

/** Each command is loaded when it is asked for: most need no server. @throws ExitError when the process shall end with another status than 0 */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('mochi-server')
    .description('A headless chat server for local models: in front of Ollama, or with an engine of its own.')
    .version(`mochi-server ${VERSION}`, '--version')
    .configureOutput({ outputError: (text, write) => write(text) })
    .exitOverride((error) => {
      throw new ExitError(error.exitCode === 0 ? 0 : EXIT_USAGE);
    });

  const serveCommand = withSettings(
    program
      .command('serve')
      .description('serve the API (the default command)')
      .option('--new-database', 'make a new database even where one was that is gone'),
  ).action(async ({ newDatabase, ...flags }: Flags) => {
    const config = configure(flags);
    const { serve } = await import('./cli/serve.ts');
    await serve(config, { newDatabase: newDatabase === true });
  });

  withSettings(
    program
      .command('import')
      .description("import session files: JSONL, or the original's JSON (formats 1.0 to 1.4)")
      .argument('<path...>', 'folders with *.jsonl or *.json files, or files'),
  ).action(async (paths: string[], flags: Flags) => {
    const config = configure(flags);
    const { runImport } = await import('./cli/import.ts');
    await runImport(config, paths);
  });

  withSettings(
    program
      .command('export')
      .description('export every session to a file of its own, also while a server runs')
      .argument('<folder>', 'where the files go; made when it is missing')
      .addOption(
        new Option('--format <format>', "jsonl: everything; json: the original's session file")
          .choices(EXPORT_FORMATS)
          .default('jsonl'),
      ),
  ).action(async (folder: string, { format, ...flags }: Flags & { format: ExportFormat }) => {
    const config = configure(flags);
    const { runExport } = await import('./cli/export.ts');
    await runExport(config, folder, format);
  });

  withSettings(
    program
      .command('backup')
      .description('copy the database to a file and check the copy, also while a server runs')
      .argument('<file>', 'where the copy goes')
      .option('--force', 'replace a file that is there'),
  ).action(async (file: string, { force, ...flags }: Flags) => {
    const config = configure(flags);
    const { runBackup } = await import('./cli/backup.ts');
    await runBackup(config, file, { force: force === true });
  });

  withSettings(program.command('restore'))
    .description('put a backup in the place of the database, which is kept; while no server runs')
    .argument('<file>', 'what `mochi-server backup` has made; it is copied')
    .action(async (file: string, flags: Flags) => {
      const config = configure(flags);
      const { runRestore } = await import('./cli/restore.ts');
      await runRestore(config, file);
    });

  withSettings(
    program
      .command('move')
      .description('move everything from the data folder to PostgreSQL, or back; while no server runs')
      .option('--to [url]', 'an empty database, postgres://…; without a value that of MOCHI_DATABASE_URL')
      .option('--from [url]', 'the same, into a data folder that has no sessions'),
  ).action(async ({ to, from, ...flags }: Flags) => {
    const config = configure(flags);
    const { readMove, runMove } = await import('./cli/move.ts');
    await runMove(config, readMove(config, { to, from }));
  });

  addModelCommands(program);
  addToolCommands(program);
  addApprovalCommands(program);

  program.addHelpText('after', () => `\nThe default command:\n\n${serveCommand.helpInformation()}`);
  await program.parseAsync(namesCommand(argv) ? argv : ['serve', ...argv], { from: 'user' });
}

/** Without a command it is `serve`, with whatever options; a mistyped one is answered with the nearest. */
function namesCommand([first = '-']: readonly string[]): boolean {
  return !first.startsWith('-') || ['-h', '--help', '--version'].includes(first);
}
