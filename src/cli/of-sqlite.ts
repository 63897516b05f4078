// Commands about the files of SQLite, where everything is kept in PostgreSQL: what does it there.
import type { Config } from '../config.ts';
import { quoted } from '../kit/own-command.ts';
import { commandUrl } from '../store/dialect/postgres/shown-url.ts';
import { complain } from './command.ts';

const INSTEAD = {
  backup: (url: string, file: string) => `pg_dump --format=custom --file=${quoted(file)} ${quoted(url)}`,
  restore: (url: string, file: string) =>
    `pg_restore --clean --if-exists --no-owner --exit-on-error --single-transaction --dbname=${quoted(url)} ${quoted(file)}`,
};

/** @throws ExitError with the command that does it, without the password */
export function refuseOnPostgres(
  { databaseUrl }: Pick<Config, 'databaseUrl'>,
  command: keyof typeof INSTEAD,
  file: string,
): void {
  if (databaseUrl === null) return;
  const first = command === 'restore' ? 'Stop every server that uses it first. ' : '';
  throw complain([
    `Everything is kept in PostgreSQL (MOCHI_DATABASE_URL), where this is done with its own programs. ${first}` +
      `The password is left out here: give it as PGPASSWORD, or in ~/.pgpass.\n\n  ${INSTEAD[command](commandUrl(databaseUrl), file)}\n`,
  ]);
}
