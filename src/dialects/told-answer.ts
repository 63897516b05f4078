// What was told of a turn, put together again: what a plain answer is made of.
import { MochiError } from '../contract/errors.ts';
import type { FinishReason } from '../contract/message.ts';
import type { TurnUsage } from '../contract/turn.ts';
import type { TurnEvent } from '../contract/turn-event.ts';
import { type ClientCall, createPieceReader, type Piece } from './told-pieces.ts';

/** Of a turn that is complete. */
interface ToldAnswer {
  readonly text: string;
  readonly thinking: string;
  readonly calls: readonly ClientCall[];
  readonly finishReason: FinishReason;
  readonly usage: TurnUsage;
}

/** Reads the events of a turn, in order. */
export interface AnswerFold {
  read(event: TurnEvent): void;
  /** @throws MochiError where the turn is not complete */
  answer(): ToldAnswer;
}

export function createAnswerFold(): AnswerFold {
  const reader = createPieceReader();
  let [text, thinking] = ['', ''];
  const calls: ClientCall[] = [];
  let end: Extract<Piece, { type: 'end' }> | null = null;
  const take = (piece: Piece) => {
    if (piece.type === 'text') text += piece.text;
    else if (piece.type === 'thinking') thinking += piece.text;
    else if (piece.type === 'call') calls.push(piece.call);
    else if (piece.type === 'end') end = piece;
  };
  return {
    read(event) {
      for (const piece of reader.read(event)) take(piece);
    },
    answer() {
      if (end === null) throw new MochiError('internal_error', 'The turn ended without an answer.');
      const { finishReason, usage } = end;
      return { text, thinking, calls, finishReason, usage };
    },
  };
}
