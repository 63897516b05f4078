// OpenAI's Chat Completions: what most programs can speak.
import { Type } from 'typebox';
import { type Asked, type Dialect, type DialectDeps, route, type TurnAnswer } from '../dialect.ts';
import { placeTurn } from '../place.ts';
import { createdAtOf } from '../turn-instant.ts';
import { toChatHead } from './chat-chunk.ts';
import { tellOpenAiError } from './error-body.ts';
import { readRequest } from './read-request.ts';
import { ChatCompletionBody } from './request-body.ts';
import { createChatReader } from './to-answer.ts';
import { createChatWriter } from './write-events.ts';

const Completion = Type.Object(
  {
    id: Type.String({ examples: ['chatcmpl-0f3c5a9d21be'] }),
    object: Type.Literal('chat.completion'),
    created: Type.Integer(),
    model: Type.String(),
    choices: Type.Array(Type.Object({ index: Type.Integer(), finish_reason: Type.String() })),
  },
  { description: 'Or, with `stream: true`, server-sent events of its chunks.' },
);

export const openAiChat: Dialect = {
  names: ['openai-chat', 'openai-responses'],
  tag: {
    name: 'openai-chat',
    description:
      "OpenAI's Chat Completions, for programs that speak them: their base URL is `/v1` of this server. Every path is also there below `/s/{session}`, and the header `x-mochi-session` says the same: answers are stored in that session then.",
  },
  namesSessions: true,
  owns: (path) => /^\/v1(?:\/|$)/.test(path),
  tellError: tellOpenAiError,
  routes: [
    route({
      method: 'POST',
      path: '/v1/chat/completions',
      operationId: 'openaiChat',
      summary: 'Answer a conversation, as OpenAI does',
      description:
        'What the client sends is what the model sees, and nothing is kept, unless a session is named. Other fields are ignored; those that would change the meaning of the answer and cannot be honoured are refused by name.',
      body: ChatCompletionBody,
      answer: Completion,
      isTurn: true,
      handle: complete,
    }),
  ],
};

async function complete(deps: DialectDeps, asked: Asked<ChatCompletionBody>): Promise<TurnAnswer> {
  const { isStream, wantsUsage, ...request } = readRequest(asked.body);
  const placed = await placeTurn(deps, asked, request);
  const { turn } = placed;
  const head = toChatHead(turn.turnId, await createdAtOf(deps, placed), request.model);
  const told = isStream
    ? ({ how: 'sse', writer: createChatWriter(head, wantsUsage) } as const)
    : ({ how: 'whole', reader: createChatReader(head) } as const);
  return { as: 'turn', ...placed, told };
}
