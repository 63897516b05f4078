// Errors that commands meet, in plain words.
import type { Config } from '../config.ts';
import { MochiError } from '../contract/errors.ts';
import { StoreOpenError } from '../store/store-open-error.ts';
import { ToolConfigError } from '../tools/policy/tool-policy.ts';
import { complain, EXIT_FAILURE } from './command.ts';

/** Plain words for what the user can mend; anything else goes on as it is. */
export function asExit(error: unknown, config: Config): unknown {
  if (error instanceof StoreOpenError) return complain([error.message]);
  if (error instanceof ToolConfigError) return complain(error.problems);
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
function storedDataProblem(error: MochiError, { dataDir, databaseUrl }: Config): string {
  if (databaseUrl !== null) return `The database failed while it was being taken up: ${error.message}`;
  return error.kind === 'session_load_error'
    ? `The database in ${dataDir} is damaged. Put a backup in its place (mochi-server restore FILE), or move it away and start with --new-database.`
    : `The database in ${dataDir} cannot be written: ${error.message}`;
}

/** For commands that write files: a full disk or a folder that may not be written is told in one line. */
export function asFileFailure(error: unknown, config: Config): unknown {
  const code = error instanceof Error && 'syscall' in error && 'code' in error ? String(error.code) : null;
  if (code === null) return asExit(error, config);
  const path = error instanceof Error && 'path' in error ? ` ${String(error.path)}` : '';
  return complain([`Cannot write${path} (${code}).`], EXIT_FAILURE);
}
