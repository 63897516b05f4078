// What the commands share: their settings, and how they end.
import type { Command } from 'commander';
import { type Config, cliOptions, loadConfig } from '../config.ts';

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

export function withSettings(command: Command): Command {
  for (const { flags, description } of cliOptions()) command.option(flags, description);
  return command;
}

/** @throws ExitError after every problem was named */
export function configure(flags: Flags): Config {
  const loaded = loadConfig({ flags });
  for (const warning of loaded.warnings) process.stderr.write(`mochi-server: ${warning}\n`);
  if (loaded.ok) return loaded.config;
  throw complain(loaded.problems);
}

/** Says it on stderr, one line each. @returns what to throw */
export function complain(problems: readonly string[], status = EXIT_USAGE): ExitError {
  for (const problem of problems) process.stderr.write(`mochi-server: ${problem}\n`);
  return new ExitError(status);
}

/** A limit on file sizes is then a failed write, like a full disk, and not the end of the process. */
export function ignoreFileSizeSignal(): void {
  if (process.platform !== 'win32') process.on('SIGXFSZ' as NodeJS.Signals, () => undefined);
}
