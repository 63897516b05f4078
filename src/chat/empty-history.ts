import { MochiError } from '../contract/errors.ts';

export function emptyHistory(sessionId: string): MochiError {
  return new MochiError('empty_history', 'There is nothing to answer: send a message first.', {
    session_id: sessionId,
  });
}
