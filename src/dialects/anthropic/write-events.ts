// Turn events → the stream of `POST /v1/messages`. Pure but for the state of one reader.
import type { EventWriter, Frame } from '../dialect.ts';
import { toMochiError } from '../to-mochi-error.ts';
import { createPieceReader, type Piece } from '../told-pieces.ts';
import { type MessageHead, SIGNATURE, tellStop, tellToolUse, tellUsage } from './answer-blocks.ts';
import { toErrorBody } from './error-body.ts';

type OpenBlock = 'thinking' | 'text';

const EMPTY_BLOCKS = {
  thinking: { type: 'thinking', thinking: '', signature: '' },
  text: { type: 'text', text: '' },
};

const PING = frame('ping', {});

function frame(event: string, data: object): Frame {
  return { event, data: { type: event, ...data } };
}

/** @param requestId of which errors are */
export function createMessageWriter(head: MessageHead, requestId: string): EventWriter {
  const reader = createPieceReader();
  let hasBegun = false;
  let open: OpenBlock | null = null;
  /** Of the block that is open, or comes next. */
  let index = 0;

  const begin = (): Frame[] => {
    if (hasBegun) return [];
    hasBegun = true;
    const usage = tellUsage({ prompt_tokens: reader.plannedTokens, output_tokens: 0 });
    const nothing = {
      type: 'message',
      role: 'assistant',
      content: [],
      stop_reason: null,
      stop_sequence: null,
    };
    return [frame('message_start', { message: { ...head, ...nothing, usage } }), PING];
  };
  const delta = (said: object): Frame => frame('content_block_delta', { index, delta: said });
  const start = (block: object): Frame => frame('content_block_start', { index, content_block: block });
  const stop = (): Frame[] => {
    if (open === null) return [];
    const signature = delta({ type: 'signature_delta', signature: SIGNATURE });
    const closing = [...(open === 'thinking' ? [signature] : []), frame('content_block_stop', { index })];
    open = null;
    index += 1;
    return closing;
  };
  const enter = (block: OpenBlock): Frame[] => {
    if (open === block) return [];
    const closed = stop();
    open = block;
    return [...closed, start(EMPTY_BLOCKS[block])];
  };
  const write = (piece: Piece): Frame[] => {
    switch (piece.type) {
      case 'thinking':
        return [...enter('thinking'), delta({ type: 'thinking_delta', thinking: piece.text })];
      case 'text':
        return [...enter('text'), delta({ type: 'text_delta', text: piece.text })];
      case 'call': {
        const closed = stop();
        const input = delta({ type: 'input_json_delta', partial_json: JSON.stringify(piece.call.arguments) });
        const whole = [start(tellToolUse(piece.call, {})), input, frame('content_block_stop', { index })];
        index += 1;
        return [...closed, ...whole];
      }
      case 'end': {
        const end = { delta: tellStop(piece.finishReason), usage: tellUsage(piece.usage) };
        return [...stop(), frame('message_delta', end), frame('message_stop', {})];
      }
      case 'failure':
        return [{ event: 'error', data: toErrorBody(toMochiError(piece.error), requestId) }];
      default:
        return piece satisfies never;
    }
  };
  return {
    write: ({ event }) =>
      reader
        .read(event)
        .flatMap((piece) => (piece.type === 'failure' ? write(piece) : [...begin(), ...write(piece)])),
    silence: () => PING,
  };
}
