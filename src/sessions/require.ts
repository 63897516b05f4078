// What must be there, or else the documented error.
import type { Engine, EngineModel } from '../contract/engine.ts';
import { MochiError } from '../contract/errors.ts';
import { cutText } from '../kit/whole-characters.ts';
import type { Db } from '../store/database.ts';
import { findMessage, type PathMessage } from '../store/messages.ts';
import { findHeadedSession, type HeadedSession } from '../store/session-head.ts';
import { findSession, type StoredSession } from '../store/sessions.ts';
import type { SessionDeps } from './session-deps.ts';

/** How much of a name or an id that nobody knows an error repeats. */
const SHOWN_LENGTH = 200;

/** @throws MochiError session_not_found */
export async function requireSession(db: Db, sessionId: string): Promise<StoredSession> {
  const session = await findSession(db, sessionId);
  if (session !== null) return session;
  throw sessionNotFound(sessionId);
}

/** With the end of its path. @throws MochiError session_not_found */
export async function requireHeadedSession(db: Db, sessionId: string): Promise<HeadedSession> {
  const found = await findHeadedSession(db, sessionId);
  if (found !== null) return found;
  throw sessionNotFound(sessionId);
}

/** One of an agent. @throws MochiError session_not_found */
export async function requireAgentChat(db: Db, sessionId: string): Promise<StoredSession> {
  const session = await requireSession(db, sessionId);
  if (session.kind === 'agent') return session;
  throw sessionNotFound(sessionId);
}

export function sessionNotFound(sessionId: string): MochiError {
  return new MochiError('session_not_found', `Session ${sessionId} not found`, { session_id: sessionId });
}

/** @throws MochiError message_not_found */
export async function requireMessage(db: Db, sessionId: string, messageId: string): Promise<PathMessage> {
  const message = await findMessage(db, sessionId, messageId);
  if (message !== null) return message;
  const shown = cutText(messageId, SHOWN_LENGTH);
  throw new MochiError(
    'message_not_found',
    `Session ${sessionId} has no message ${shown}. Its tree lists those that it has.`,
    {
      session_id: sessionId,
      message_id: shown,
    },
  );
}

/** A model that a session can chat with. @throws MochiError model_unusable, ollama_unreachable, ollama_error */
export async function requireChatModel(engine: Engine, name: string): Promise<EngineModel> {
  const model = await engine.findModel(name);
  const shown = cutText(name, SHOWN_LENGTH);
  if (model === null) {
    const text = `Model ${shown} is not installed. ${await engine.inventory()}`;
    throw new MochiError('model_unusable', text, { model: shown });
  }
  if (!model.capabilities.includes('completion')) {
    throw new MochiError(
      'model_unusable',
      `Model ${shown} cannot chat: it is for ${model.capabilities.join(', ')}. Choose another one.`,
      {
        model: shown,
      },
    );
  }
  return model;
}

/** The model of a session that names none. @throws MochiError model_unusable, ollama_unreachable, engine_not_ready … */
export async function requireDefaultModel({
  engine,
  defaultModel,
}: Pick<SessionDeps, 'engine' | 'defaultModel'>): Promise<EngineModel> {
  if (defaultModel !== null) {
    return requireChatModel(engine, defaultModel).catch((error: unknown) => {
      if (!(error instanceof MochiError) || error.kind !== 'model_unusable') throw error;
      throw new MochiError(error.kind, `MOCHI_DEFAULT_MODEL: ${error.message}`, error.details);
    });
  }
  const model = await engine.defaultModel();
  if (model !== null) return model;
  throw new MochiError(
    'model_unusable',
    'There is no model that can chat. Pull one (POST /api/v1/models/pull, or the command pull).',
  );
}
