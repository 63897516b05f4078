// Turn events → lines of `/api/chat` and `/api/generate`. Pure but for the state of one reader.
import { aroundText } from '../around-text.ts';
import type { EventWriter, Frame } from '../dialect.ts';
import { toMochiError } from '../to-mochi-error.ts';
import { type ClientCall, createPieceReader, type Piece } from '../told-pieces.ts';
import { type OllamaCall, type OllamaHead, tellEnd, tellSaid } from './answer-lines.ts';
import { tellOllamaError } from './error-body.ts';

export function createLineWriter(call: OllamaCall, head: OllamaHead): EventWriter {
  const reader = createPieceReader();
  const calls: ClientCall[] = [];
  const lineData = (said: object, end: object = { done: false }) => ({ ...head, ...said, ...end });
  const line = (...args: Parameters<typeof lineData>): Frame => ({ data: lineData(...args) });
  const thinkingLine = aroundText((thinking) => lineData(tellSaid(call, { thinking })));
  const textLine = aroundText((text) => lineData(tellSaid(call, { text })));
  const write = (piece: Piece): Frame[] => {
    switch (piece.type) {
      case 'thinking':
        return [{ data: thinkingLine(piece.text) }];
      case 'text':
        return [{ data: textLine(piece.text) }];
      case 'call':
        // In one line, all of them: a client makes one call of those of several lines.
        calls.push(piece.call);
        return [];
      case 'end': {
        const asked = calls.length === 0 ? [] : [line(tellSaid(call, { calls }))];
        return [...asked, line(tellSaid(call, {}), tellEnd(piece.finishReason, piece.usage))];
      }
      case 'failure':
        return [{ data: tellOllamaError(toMochiError(piece.error)).body }];
      default:
        return piece satisfies never;
    }
  };
  return {
    write: ({ event }) => reader.read(event).flatMap(write),
    // Lines know no comments, and an empty one is an error to some.
    silence: () => line(tellSaid(call, {})),
  };
}
