// The model of a session follows that of its requests.
import { requireChatModel } from '../sessions/require.ts';
import { type StoredSession, updateSession } from '../store/sessions.ts';
import type { DialectDeps } from './dialect.ts';

/** The model of the request becomes that of the session. @throws MochiError model_unusable, ollama_unreachable … */
export async function takeModel(deps: DialectDeps, session: StoredSession, name: string): Promise<void> {
  if (session.model === name) return;
  const model = await requireChatModel(deps.engine, name);
  if (session.model === model.name) return;
  await updateSession(deps.db, session.session_id, { model: model.name });
}
