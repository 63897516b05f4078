// The events of a turn → the plain answer of Chat Completions. Pure but for the state of one reader.
import type { AnswerReader } from '../dialect.ts';
import { createAnswerFold } from '../told-answer.ts';
import { type ChatHead, FINGERPRINT, tellCall, tellThinking, tellUsage } from './chat-chunk.ts';

export function createChatReader({ id, created, model }: ChatHead): AnswerReader {
  const fold = createAnswerFold();
  return {
    read: ({ event }) => fold.read(event),
    answer() {
      const { text, thinking, calls, finishReason, usage } = fold.answer();
      const message = {
        role: 'assistant',
        content: text === '' && calls.length > 0 ? null : text,
        refusal: null,
        ...(thinking !== '' && tellThinking(thinking)),
        ...(calls.length > 0 && { tool_calls: calls.map(tellCall) }),
      };
      return {
        id,
        object: 'chat.completion',
        created,
        model,
        ...FINGERPRINT,
        choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason }],
        usage: tellUsage(usage),
      };
    },
  };
}
