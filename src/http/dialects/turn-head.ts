// What the head of an answer says of its turn.
import type { FastifyReply } from 'fastify';
import type { ContextReceipt } from '../../contract/context-window.ts';
import type { TurnEvent } from '../../contract/turn-event.ts';
import type { TurnAnswer } from '../../dialects/dialect.ts';
import { addressOf } from '../forwarded-prefix.ts';

/** Beyond ASCII, headers are read differently everywhere. */
const NOT_ASCII = /[^\x20-\x7e]/g;

export function nameTurn(reply: FastifyReply, { turn, isStored, headers = {} }: TurnAnswer): void {
  void reply.headers({ ...headers, 'x-turn-id': turn.turnId });
  if (!isStored) return;
  const location = addressOf(reply.request, `/api/v1/turns/${turn.turnId}`);
  // What is stored is said twice when it is asked again.
  void reply.headers({ location, 'x-mochi-session': turn.sessionId, 'x-should-retry': 'false' });
}

export function nameContext(reply: FastifyReply, receipt: ContextReceipt): void {
  const line = JSON.stringify(receipt).replace(NOT_ASCII, escapeCharacter);
  void reply.header('x-mochi-context', line);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** From it on the answer is known to come. */
export function isContent(event: TurnEvent): boolean {
  switch (event.event) {
    case 'thinking_delta':
    case 'content_delta':
    case 'message_complete':
    case 'snapshot':
      return true;
    case 'tool_call':
      return event.data.runs_at === 'client';
    default:
      return false;
  }
}
