// What goes wrong with the database while it is used, as clients see it. SQLSTATE codes:
// https://www.postgresql.org/docs/current/errcodes-appendix.html
import { MochiError } from '../../../contract/errors.ts';

/** Two transactions have met, and this one was undone: serialization failure, deadlock. */
const MET = /^40(001|P01)$/;
/** Of the server that goes or is gone, of Node, of one that does not let us in any more, and of one that is read-only. */
const AWAY = /^(08...|57P0[1-5]|25006|25P03|28...|3D000|E[A-Z_]+)$/;
/** The driver has no code for it. */
const AWAY_WORDS =
  /Connection terminated|connection error and is not queryable|was closed and is not queryable|Query read timeout|has been discarded/;

/** Those that pass when the database is back, or less asked of it. */
const passing = new WeakSet<MochiError>();

function codeOf(error: unknown): string {
  if (error instanceof MochiError) return '';
  // Of a name with several addresses each has its own.
  const one = error instanceof AggregateError ? error.errors.at(-1) : error;
  return one instanceof Error && 'code' in one && typeof one.code === 'string' ? one.code : '';
}

/** Begun again, it succeeds. */
export function isToBeRepeated(error: unknown): boolean {
  return error instanceof MochiError && MET.test(String(error.details['reason']).toUpperCase());
}

/** It is worth to wait for the database with what one has. */
export function isPassing(error: unknown): boolean {
  return error instanceof MochiError && passing.has(error);
}

/** The connection broke while somebody waited for an answer on it: what was asked may have been done. */
export function isLost(error: unknown): boolean {
  if (!(error instanceof MochiError) || !passing.has(error)) return false;
  return /^(connection_lost|57p0[125]|25p03|econnreset|epipe)$/.test(String(error.details['reason']));
}

/** @returns why the database is away; null: it is not, whatever else is wrong */
export function toAway(error: unknown): MochiError | null {
  if (error instanceof MochiError) return passing.has(error) ? error : null;
  const code = codeOf(error);
  if (code === '25006') return readOnly();
  const hasWords = error instanceof Error && AWAY_WORDS.test(error.message);
  if (!AWAY.test(code) && !hasWords) return null;
  return noted(
    new MochiError(
      'database_busy',
      'The database cannot be reached at the moment. Nothing of this request was stored: try again.',
      { reason: code === '' ? 'connection_lost' : code.toLowerCase() },
    ),
  );
}

/** A standby, or switched over. */
export function readOnly(): MochiError {
  return noted(
    new MochiError(
      'database_busy',
      'The database is read-only at the moment. Nothing of this request was stored: try again.',
      { reason: 'read_only' },
    ),
  );
}

/** Dropped, or being restored. */
export function withoutTables(): MochiError {
  return noted(
    new MochiError(
      'database_busy',
      'The tables of this server are not in its database at the moment. Nothing of this request was stored: try again.',
      { reason: 'no_tables' },
    ),
  );
}

/** Nobody may say that it was stored, nor that it was not. */
export function outcomeUnknown(): MochiError {
  return new MochiError(
    'database_busy',
    'The database was lost while this was being stored, and it is not known whether it was: look before you try again.',
    { reason: 'outcome_unknown' },
  );
}

/** Faults of the database and of the way to it become errors that a client may see; the rest stays internal. */
export function toMochiError(error: unknown): unknown {
  return toAway(error) ?? toFull(error) ?? toRefused(error) ?? error;
}

/** Of all programs that use it there are as many connections as it allows. */
export function hasNoPlace(error: unknown): boolean {
  return codeOf(error) === '53300';
}

function toFull(error: unknown): MochiError | null {
  const isPoolFull = error instanceof Error && error.message.includes('timeout exceeded when trying');
  if (!isPoolFull && !hasNoPlace(error)) return null;
  return noted(
    new MochiError(
      'overloaded',
      'All connections to the database are in use. Nothing of this request was stored: try again.',
      { reason: isPoolFull ? 'pool_full' : '53300' },
    ),
  );
}

function toRefused(error: unknown): MochiError | null {
  const code = codeOf(error);
  const reason = code.toLowerCase();
  if (MET.test(code) || code === '55P03') {
    return new MochiError(
      'database_busy',
      'Others have changed the same rows at the same moment. Nothing of this request was stored: try again.',
      { reason },
    );
  }
  if (code === '23503' && String(Object(error)['constraint']) === 'turns_owner_fkey') {
    return new MochiError(
      'database_busy',
      'This server was away from the database for so long that others have taken its turns. Nothing of this request was stored: try again.',
      { reason: 'lease_lost' },
    );
  }
  if (code === '57014' || code === '53200') {
    const why = code === '53200' ? 'has no memory left for this' : 'took too long over this';
    return new MochiError('database_busy', `The database ${why}. Nothing of it was stored: try again.`, {
      reason,
    });
  }
  if (code === '53100' || code === '58030') {
    return new MochiError(
      'session_save_error',
      'The data could not be written: the disk of the database is full, or has failed. Nothing of this request was stored.',
      { reason },
    );
  }
  return null;
}

function noted(error: MochiError): MochiError {
  passing.add(error);
  return error;
}
