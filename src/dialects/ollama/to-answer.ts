// The events of a turn → the plain answer of `/api/chat` and `/api/generate`. Pure but for the state of one reader.
import type { AnswerReader } from '../dialect.ts';
import { createAnswerFold } from '../told-answer.ts';
import { type OllamaCall, type OllamaHead, tellEnd, tellSaid } from './answer-lines.ts';

export function createLineReader(call: OllamaCall, head: OllamaHead): AnswerReader {
  const fold = createAnswerFold();
  return {
    read: ({ event }) => fold.read(event),
    answer() {
      const { finishReason, usage, ...said } = fold.answer();
      return { ...head, ...tellSaid(call, said), ...tellEnd(finishReason, usage) };
    },
  };
}
