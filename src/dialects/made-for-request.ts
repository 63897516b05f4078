// A session that a request makes by naming it, beside others that name it at the same time.
import { MochiError } from '../contract/errors.ts';
import { deleteUnusedSession } from '../store/delete-unused.ts';
import type { DialectDeps } from './dialect.ts';

/** Runs a request in the session that was made for it: where it is refused, nothing is left of the session. */
export async function inNewSession<T>(
  { db }: Pick<DialectDeps, 'db'>,
  { sessionId, isNew }: { readonly sessionId: string; readonly isNew: boolean },
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (isNew) await deleteUnusedSession(db, sessionId);
    throw error;
  }
}

/** Once more where the session was there, and went with the request that had made it. */
export async function unlessTakenBack<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof MochiError) || error.kind !== 'session_not_found') throw error;
    return action();
  }
}
