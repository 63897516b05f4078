// Chat: one request, watched as JSON or as a stream. Both are the same turn.
import type { FastifyReply } from 'fastify';
import type { LiveTurn } from '../../chat/live-turn.ts';
import { toTurnRequest } from '../../chat/turn-request.ts';
import { ChatAnswer, ChatRequest } from '../../contract/chat.ts';
import type { ErrorKindName } from '../../contract/errors.ts';
import { ref } from '../../contract/schema.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { eventStreamAnswer, jsonAnswer, responses } from '../document.ts';
import { sendEvents } from '../event-stream.ts';
import { foldAnswer } from '../fold-answer.ts';
import { SessionParams, sessionIdOf } from '../params.ts';

/** Known before the first byte, on both routes. */
const START_ERRORS: readonly ErrorKindName[] = [
  'empty_history',
  'context_overflow',
  'images_not_supported',
  'session_not_found',
  'session_busy',
  'validation_error',
  'payload_too_large',
  'unsupported_media_type',
  'session_load_error',
  'session_save_error',
  'overloaded',
  'turn_interrupted',
];
/** Later ones: statuses on the plain route, `error` events on the stream. */
const TURN_ERRORS: readonly ErrorKindName[] = [
  'turn_cancelled',
  'ollama_unreachable',
  'ollama_error',
  'incomplete_response',
  'invalid_structured_output',
  'tool_loop_limit',
  'engine_busy',
  'engine_timeout',
];

export function chatRoutes(app: App, { turns }: AppDeps): void {
  const tags = ['chat'];

  app.post(
    '/api/v1/chat/:session_id',
    {
      schema: {
        tags,
        summary: 'Send a message and wait for the answer',
        params: SessionParams,
        body: ref(ChatRequest),
        response: responses(200, jsonAnswer('The answer.', ref(ChatAnswer)), [
          ...START_ERRORS,
          ...TURN_ERRORS,
        ]),
      },
    },
    async ({ params, body }, reply) => {
      const turn = await turns.start(sessionIdOf(params), toTurnRequest(body));
      nameTurn(reply, turn);
      return foldAnswer(turn);
    },
  );

  app.post(
    '/api/v1/chat/:session_id/stream',
    {
      schema: {
        tags,
        summary: 'Send a message and stream the answer',
        description: 'Closing the connection cancels the turn; what came until then is kept.',
        params: SessionParams,
        body: ref(ChatRequest),
        response: responses(200, eventStreamAnswer('The events of the turn.'), START_ERRORS),
      },
    },
    async ({ params, body }, reply) => {
      const turn = await turns.start(sessionIdOf(params), toTurnRequest(body));
      nameTurn(reply, turn);
      const hasStayed = await sendEvents(reply, turn, 0);
      if (!hasStayed) turns.stop(turn);
    },
  );
}

function nameTurn(reply: FastifyReply, turn: LiveTurn): void {
  void reply.header('location', `/api/v1/turns/${turn.turnId}`).header('x-turn-id', turn.turnId);
}
