// Turn events → chunks of Chat Completions. Pure but for the state of one reader.
import { aroundText } from '../around-text.ts';
import type { EventWriter, Frame } from '../dialect.ts';
import { toMochiError } from '../to-mochi-error.ts';
import { createPieceReader, type Piece } from '../told-pieces.ts';
import { type ChatHead, FINGERPRINT, tellCall, tellThinking, tellUsage } from './chat-chunk.ts';
import { toErrorBody } from './error-body.ts';

const DONE: Frame = { data: '[DONE]' };

/** @param wantsUsage a chunk without choices tells the tokens at the end; without, no chunk is without choices */
export function createChatWriter(head: ChatHead, wantsUsage: boolean): EventWriter {
  const { id, created, model } = head;
  const common = { id, object: 'chat.completion.chunk', created, model, ...FINGERPRINT };
  const chunkData = (delta: object, finishReason: string | null = null) => ({
    ...common,
    choices: [{ index: 0, delta, finish_reason: finishReason }],
    ...(wantsUsage && { usage: null }),
  });
  const chunk = (...args: Parameters<typeof chunkData>): Frame => ({ data: chunkData(...args) });
  const thinking = aroundText((text) => chunkData(tellThinking(text)));
  const content = aroundText((text) => chunkData({ content: text }));
  const reader = createPieceReader();
  let hasBegun = false;

  const write = (piece: Piece): Frame[] => {
    switch (piece.type) {
      case 'thinking':
        return [{ data: thinking(piece.text) }];
      case 'text':
        return [{ data: content(piece.text) }];
      case 'call':
        return [chunk({ tool_calls: [{ index: piece.call.index, ...tellCall(piece.call) }] })];
      case 'end': {
        const usage = { data: { ...common, choices: [], usage: tellUsage(piece.usage) } };
        return [chunk({}, piece.finishReason), ...(wantsUsage ? [usage] : []), DONE];
      }
      case 'failure':
        return [{ data: toErrorBody(toMochiError(piece.error)) }, DONE];
      default:
        return piece satisfies never;
    }
  };
  const begin = (piece: Piece): Frame[] => {
    if (hasBegun || piece.type === 'failure') return [];
    hasBegun = true;
    return [chunk({ role: 'assistant', content: '' })];
  };
  return {
    write: ({ event }) => reader.read(event).flatMap((piece) => [...begin(piece), ...write(piece)]),
  };
}
