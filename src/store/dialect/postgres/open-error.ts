// Why a database of PostgreSQL cannot be used, in plain words.
import { MochiError } from '../../../contract/errors.ts';
import { StoreOpenError, tooOld } from '../../store-open-error.ts';

/** @param name of the database, as it may be shown */
export function explainOpen(error: unknown, name: string): StoreOpenError {
  if (error instanceof StoreOpenError) return error;
  const said = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ');
  // Brought up to date by that one just now.
  if (said.includes('previously executed migration')) return writtenByNewer(name, null);
  // Of PgBouncer, which then knows of no transactions.
  if (said.includes('statement pooling mode')) return throughPooler(name, 'statement');
  const file = missingFile(error);
  if (file !== null)
    return new StoreOpenError(`${name} cannot be reached: ${file}. ${MEND_URL}.`, { cause: error });
  const reason = reasonOf(error);
  return new StoreOpenError(`${name} ${wordsFor(reason, said)}`, { cause: error });
}

/** @param needs the version from which on it may be used; null: that is not known */
export function writtenByNewer(name: string, needs: string | null): StoreOpenError {
  return new StoreOpenError(
    `${name} was written by a newer mochi-server${tooOld(needs)}. It was left as it is. Start that version, or name another database.`,
  );
}

/** @param mode in which it gives others the same connection before this one has let go of it */
export function throughPooler(name: string, mode: 'transaction' | 'statement'): StoreOpenError {
  return new StoreOpenError(
    `${name} is reached through a pooler in ${mode} mode. mochi-server has a pool of its own (MOCHI_DATABASE_POOL): ` +
      "name the database's own address, or a pooler in session mode.",
  );
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html, or one of Node. */
function reasonOf(error: unknown): string {
  if (error instanceof MochiError) {
    const { reason } = error.details;
    return typeof reason === 'string' ? reason.toUpperCase() : '';
  }
  // Of a name with several addresses each has its own.
  const one = error instanceof AggregateError ? error.errors.at(-1) : error;
  return one instanceof Error && 'code' in one ? String(one.code) : '';
}

/** One that the URL names, such as that of a certificate; null: it is not about one. */
function missingFile(error: unknown): string | null {
  if (!(error instanceof Error && 'syscall' in error && 'path' in error)) return null;
  return error.syscall === 'open' ? `the file ${String(error.path)} cannot be read` : null;
}

const MEND_URL = 'Mend MOCHI_DATABASE_URL';

function wordsFor(reason: string, said: string): string {
  if (isTimeout(reason, said)) {
    return 'does not answer within 5 seconds. Look whether the server runs there, and whether a firewall is between.';
  }
  if (/^(ECONNREFUSED|ENOENT)$/.test(reason)) {
    return `cannot be reached: nothing listens there (${reason}). Start PostgreSQL, or ${lower(MEND_URL)}.`;
  }
  if (/^(ENOTFOUND|EAI_AGAIN)$/.test(reason)) {
    return `cannot be reached: there is no host of that name (${reason}). ${MEND_URL}.`;
  }
  if (reason === '3D000') return `does not exist. Make it (createdb), or ${lower(MEND_URL)}.`;
  if (reason === '28P01' || reason.startsWith('28') || said.includes('client password must be a string')) {
    return `does not let this user in: ${said}. Mend name or password in MOCHI_DATABASE_URL, or pg_hba.conf of the server.`;
  }
  if (reason === '53300') {
    return `has no connection left (${said}). Raise max_connections there, or lower MOCHI_DATABASE_POOL of each server that uses it.`;
  }
  if (reason === '57P03') return `is starting, stopping or being recovered (${said}). Try again in a moment.`;
  if (reason === '25006') return 'is read-only. Name a database that may be written to.';
  if (reason === '53100') return 'cannot be written: the disk of the server is full.';
  if (said === 'Connection terminated unexpectedly') {
    return `cannot be used: what listens there has ended the connection, and may not be PostgreSQL. ${MEND_URL}.`;
  }
  if (/CERT|TLS|SSL/i.test(`${reason} ${said}`)) {
    return `cannot be reached safely: ${said}. Mend sslmode or sslrootcert in MOCHI_DATABASE_URL, or the certificate of the server.`;
  }
  return `cannot be used: ${said}${reason === '' || said.includes(reason) ? '' : ` (${reason})`}`;
}

function isTimeout(reason: string, said: string): boolean {
  return (
    /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/.test(reason) || /timeout exceeded|connection timeout/.test(said)
  );
}

function lower(sentence: string): string {
  return `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`;
}
