// The session behind the id of a chat: its own, or a name of the app's.
import { requireSession, sessionNotFound } from '../../sessions/require.ts';
import { findNamedSession, listSession, type StoredSession } from '../../store/sessions.ts';
import { createSessionFor } from '../create-session-for.ts';
import type { DialectDeps } from '../dialect.ts';
import { meantModel } from '../models.ts';
import { takeModel } from '../take-model.ts';
import type { UiChatBody } from './chat-body.ts';

const SESSION_ID = /^[0-9a-f]{10}$/;

/** @throws MochiError session_not_found */
export async function requireUiSession({ db }: Pick<DialectDeps, 'db'>, id: string): Promise<StoredSession> {
  const session = await findUiSession({ db }, id);
  if (session === null) throw sessionNotFound(id);
  return session;
}

/** Null: a name that has not been used yet. @throws MochiError session_not_found */
export async function findUiSession(
  { db }: Pick<DialectDeps, 'db'>,
  id: string,
): Promise<StoredSession | null> {
  const sessionId = SESSION_ID.test(id) ? id : await findNamedSession(db, id);
  if (sessionId === null) return null;
  const session = await requireSession(db, sessionId);
  // What an agent works in is the agent's.
  if (session.kind !== 'chat') throw sessionNotFound(id);
  return session;
}

export interface UiSession {
  readonly session: StoredSession;
  readonly isNew: boolean;
}

/** Made at its first use where the id is a name. @throws MochiError session_not_found, model_unusable … */
export async function openUiSession(deps: DialectDeps, body: UiChatBody): Promise<UiSession> {
  const { id, model, system } = body;
  const asked = model == null ? null : meantModel(deps, model);
  const isName = !SESSION_ID.test(id);
  let known = isName ? await findNamedSession(deps.db, id) : id;
  if (known === null) {
    const settings = {
      ...(asked !== null && { model: asked }),
      ...(system != null && { system_prompt: system }),
    };
    const made = await createSessionFor(deps, settings, { clientKey: id });
    if (made.isNew) return made;
    known = made.session.session_id;
  }
  const session = await requireUiSession(deps, known);
  await listSession(deps.db, session.session_id);
  if (asked !== null) await takeModel(deps, session, asked);
  return { session, isNew: false };
}
