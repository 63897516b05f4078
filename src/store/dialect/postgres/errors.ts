// What goes wrong with the database, as clients see it.
import { MochiError } from '../../../contract/errors.ts';

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
function codeOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

/** Serialization failure, deadlock. */
const REPEATED = new Set(['40001', '40p01']);

/** Two transactions have met, and this one was undone: begun again, it succeeds. */
export function isToBeRepeated(error: unknown): boolean {
  return error instanceof MochiError && REPEATED.has(String(error.details['reason']));
}

/** Faults of the database and of the way to it become errors that a client may see; the rest stays internal. */
export function toMochiError(error: unknown): unknown {
  const code = codeOf(error);
  const reason = (code ?? '').toLowerCase();
  if (REPEATED.has(reason) || reason === '55p03') {
    return new MochiError(
      'database_busy',
      'Others have changed the same rows at the same moment. Nothing of this request was stored: try again.',
      { reason },
    );
  }
  // Disk full, out of memory, read-only.
  if (code !== null && /^(53[12]|25006)/.test(code)) {
    return new MochiError(
      'session_save_error',
      'The data could not be written: the database is full or read-only. Nothing of this request was stored.',
      { reason },
    );
  }
  if (isAway(error, code)) {
    return new MochiError(
      'session_load_error',
      'The database cannot be reached at the moment. Try again; the log has the reason.',
      { reason },
    );
  }
  return error;
}

function isAway(error: unknown, code: string | null): boolean {
  if (code !== null) return /^(08|57P|533|28|3D)|^E[A-Z]+$/.test(code);
  return (
    error instanceof Error &&
    /Connection terminated|timeout exceeded when trying to connect/.test(error.message)
  );
}
