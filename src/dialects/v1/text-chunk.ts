// Turn events → chunks and plain answers of `POST /v1/completions`. Thoughts have no place there.
import type { AnswerReader, EventWriter, Frame } from '../dialect.ts';
import { tellUsage } from '../openai-chat/chat-chunk.ts';
import { toErrorBody } from '../openai-chat/error-body.ts';
import { toMochiError } from '../to-mochi-error.ts';
import { createAnswerFold } from '../told-answer.ts';
import { createPieceReader, type Piece } from '../told-pieces.ts';

interface TextHead {
  readonly id: string;
  readonly object: 'text_completion';
  /** Seconds since the epoch. */
  readonly created: number;
  readonly model: string;
  readonly system_fingerprint: 'mochi';
}

/** @param model as it was asked for */
export function toTextHead(turnId: string, now: string, model: string): TextHead {
  const created = Math.floor(Date.parse(now) / 1000);
  const id = `cmpl-${turnId.replace(/^turn_/, '')}`;
  return { id, object: 'text_completion', created, model, system_fingerprint: 'mochi' };
}

const DONE: Frame = { data: '[DONE]' };

export function createTextWriter(head: TextHead, wantsUsage: boolean): EventWriter {
  const reader = createPieceReader();
  const chunk = (text: string, finishReason: string | null): Frame => ({
    data: { ...head, choices: [toChoice(text, finishReason)], ...(wantsUsage && { usage: null }) },
  });
  const write = (piece: Piece): Frame[] => {
    switch (piece.type) {
      case 'text':
        return [chunk(piece.text, null)];
      case 'end': {
        const usage = { data: { ...head, choices: [], usage: tellUsage(piece.usage) } };
        return [chunk('', piece.finishReason), ...(wantsUsage ? [usage] : []), DONE];
      }
      case 'failure':
        return [{ data: toErrorBody(toMochiError(piece.error)) }, DONE];
      default:
        return [];
    }
  };
  return { write: ({ event }) => reader.read(event).flatMap(write) };
}

export function createTextReader(head: TextHead): AnswerReader {
  const fold = createAnswerFold();
  return {
    read: ({ event }) => fold.read(event),
    answer() {
      const { text, finishReason, usage } = fold.answer();
      return { ...head, choices: [toChoice(text, finishReason)], usage: tellUsage(usage) };
    },
  };
}

function toChoice(text: string, finishReason: string | null): object {
  return { index: 0, text, logprobs: null, finish_reason: finishReason };
}
