// What must be there, or else the documented error.
import type { Engine, EngineModel } from '../contract/engine.ts';
import { MochiError } from '../contract/errors.ts';
import type { Db } from '../store/database.ts';
import { findMessage, type PathMessage } from '../store/messages.ts';
import { findSession, type StoredSession } from '../store/sessions.ts';

/** @throws MochiError session_not_found */
export async function requireSession(db: Db, sessionId: string): Promise<StoredSession> {
  const session = await findSession(db, sessionId);
  if (session !== null) return session;
  throw new MochiError('session_not_found', `Session ${sessionId} not found`, { session_id: sessionId });
}

/** @throws MochiError message_not_found */
export async function requireMessage(db: Db, sessionId: string, messageId: string): Promise<PathMessage> {
  const message = await findMessage(db, sessionId, messageId);
  if (message !== null) return message;
  throw new MochiError('message_not_found', `Session ${sessionId} has no message ${messageId}`, {
    session_id: sessionId,
    message_id: messageId,
  });
}

/** A model that a session can chat with. @throws MochiError model_unusable, ollama_unreachable, ollama_error */
export async function requireChatModel(engine: Engine, name: string): Promise<EngineModel> {
  const model = await engine.findModel(name);
  if (model === null) {
    throw new MochiError(
      'model_unusable',
      `Model ${name} is not installed. Pull it, or choose another one.`,
      {
        model: name,
      },
    );
  }
  if (!model.capabilities.includes('completion')) {
    throw new MochiError(
      'model_unusable',
      `Model ${name} cannot chat: it is for ${model.capabilities.join(', ')}.`,
      {
        model: name,
      },
    );
  }
  return model;
}

export function promptNotFound(file: string): MochiError {
  return new MochiError('prompt_not_found', `There is no system prompt file ${file}.`, { filename: file });
}
