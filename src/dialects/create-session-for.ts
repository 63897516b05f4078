// A session for a request that has none yet.
import type { CreateSession } from '../contract/session.ts';
import { createSession } from '../sessions/create-session.ts';
import { requireSession } from '../sessions/require.ts';
import { findNamedSession, type StoredSession } from '../store/sessions.ts';
import type { DialectDeps } from './dialect.ts';

/** @param named what clients call it, and whether it is in lists @throws MochiError model_unusable, ollama_unreachable … */
export async function createSessionFor(
  deps: DialectDeps,
  input: CreateSession,
  named: { readonly clientKey?: string; readonly isListed?: boolean },
): Promise<{ readonly session: StoredSession; readonly isNew: boolean }> {
  try {
    return { session: await createSession(deps, input, named), isNew: true };
  } catch (error) {
    // Another request with the same name may have been quicker.
    const { clientKey } = named;
    const known = clientKey === undefined ? null : await findNamedSession(deps.db, clientKey);
    if (known === null) throw error;
    return { session: await requireSession(deps.db, known), isNew: false };
  }
}
