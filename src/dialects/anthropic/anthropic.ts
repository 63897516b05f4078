// Anthropic's Messages: Claude Code, and its SDKs.
import { Type } from 'typebox';
import { type Asked, type Dialect, type DialectDeps, route, type TurnAnswer } from '../dialect.ts';
import { placeTurn } from '../place.ts';
import { toMessageHead } from './answer-blocks.ts';
import { countRoute } from './count-tokens.ts';
import { tellAnthropicError } from './error-body.ts';
import { MessagesBody } from './messages-body.ts';
import { readRequest } from './read-request.ts';
import { createMessageReader } from './to-answer.ts';
import { createMessageWriter } from './write-events.ts';

const Answer = Type.Object(
  {
    id: Type.String({ examples: ['msg_0f3c5a9d21be'] }),
    type: Type.Literal('message'),
    role: Type.Literal('assistant'),
    model: Type.String(),
    content: Type.Array(Type.Object({ type: Type.String() })),
    stop_reason: Type.String(),
  },
  { description: 'Or, with `stream: true`, server-sent events.' },
);

export const anthropic: Dialect = {
  names: ['anthropic'],
  tag: {
    name: 'anthropic',
    description:
      "Anthropic's Messages, for programs that speak them: their base URL is the address of this server. Every path is also there below `/s/{session}`, and the header `x-mochi-session` says the same: answers are stored in that session then.",
  },
  namesSessions: true,
  owns: (path) => /^\/v1\/messages(?:\/|$)/.test(path),
  tellError: tellAnthropicError,
  routes: [
    route({
      method: 'POST',
      path: '/v1/messages',
      operationId: 'anthropicMessages',
      summary: 'Answer a conversation, as Anthropic does',
      description:
        'What the client sends is what the model sees, and nothing is kept, unless a session is named. Other fields are ignored.',
      body: MessagesBody,
      answer: Answer,
      isTurn: true,
      handle: answer,
    }),
    countRoute,
  ],
};

async function answer(deps: DialectDeps, asked: Asked<MessagesBody>): Promise<TurnAnswer> {
  const { requestId } = asked;
  const { isStream, ...request } = readRequest(asked.body);
  const placed = await placeTurn(deps, asked, request);
  const head = toMessageHead(placed.turn.turnId, request.model);
  const told = isStream
    ? ({ how: 'sse', writer: createMessageWriter(head, requestId) } as const)
    : ({ how: 'whole', reader: createMessageReader(head) } as const);
  return { as: 'turn', ...placed, told, headers: { 'request-id': requestId } };
}
