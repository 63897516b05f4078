// What the commands share: their settings, and how they end.
import { type Command, type HelpContext, Option } from 'commander';
import { type Config, cliOptions, loadConfig } from '../config.ts';
import { sayError } from './terminal.ts';

/** Exit status for what went wrong on the way. */
export const EXIT_FAILURE = 1;
/** Exit status for what the user can mend: arguments, configuration, data folder, port. */
export const EXIT_USAGE = 2;

export type Flags = Readonly<Record<string, string | true | undefined>>;

/** Ends the process with a status after everything was said. */
export class ExitError extends Error {
  override readonly name = 'ExitError';
  readonly status: number;

  constructor(status: number) {
    super(`exit ${status}`);
    this.status = status;
  }
}

/**
 * Adds the settings that all commands share, in its help after what is its own: once it is asked for. Twenty commands
 * with seventy each would take a megabyte.
 */
export function withSettings(command: Command): Command {
  const { parseOptions, helpInformation } = command;
  let isComplete = false;
  const complete = () => {
    if (isComplete) return;
    isComplete = true;
    for (const { flags, description } of cliOptions()) {
      command.addOption(new Option(flags, description).helpGroup('Settings:'));
    }
  };
  return Object.assign(command, {
    parseOptions(argv: string[]) {
      complete();
      return parseOptions.call(command, argv);
    },
    helpInformation(context?: HelpContext) {
      complete();
      return helpInformation.call(command, context);
    },
  });
}

/** @throws ExitError after every problem was named */
export function configure(flags: Flags): Config {
  const loaded = loadConfig({ flags });
  for (const warning of loaded.warnings) sayError(`mochi-server: ${warning}\n`);
  if (loaded.ok) return loaded.config;
  throw complain(loaded.problems);
}

/** Says it on stderr, one line each. @returns what to throw */
export function complain(problems: readonly string[], status = EXIT_USAGE): ExitError {
  for (const problem of problems) sayError(`mochi-server: ${problem}\n`);
  return new ExitError(status);
}

/** A limit on file sizes is then a failed write, like a full disk, and not the end of the process. */
export function ignoreFileSizeSignal(): void {
  if (process.platform !== 'win32') process.on('SIGXFSZ' as NodeJS.Signals, () => undefined);
}
