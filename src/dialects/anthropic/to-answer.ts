// The events of a turn → the plain answer of `POST /v1/messages`. Pure but for the state of one reader.
import type { AnswerReader } from '../dialect.ts';
import { createAnswerFold } from '../told-answer.ts';
import { type MessageHead, SIGNATURE, tellStop, tellToolUse, tellUsage } from './answer-blocks.ts';

export function createMessageReader({ id, model }: MessageHead): AnswerReader {
  const fold = createAnswerFold();
  return {
    read: ({ event }) => fold.read(event),
    answer() {
      const { text, thinking, calls, finishReason, usage } = fold.answer();
      return {
        id,
        type: 'message',
        role: 'assistant',
        model,
        content: [
          ...(thinking === '' ? [] : [{ type: 'thinking', thinking, signature: SIGNATURE }]),
          ...(text === '' ? [] : [{ type: 'text', text }]),
          ...calls.map((call) => tellToolUse(call, call.arguments)),
        ],
        ...tellStop(finishReason),
        usage: tellUsage(usage),
      };
    },
  };
}
