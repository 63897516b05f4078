// Chat: one request, watched as JSON or as a stream. Both are the same turn.
import { toTurnRequest } from '../../chat/turn-request.ts';
import { ChatAnswer, ChatPreview, ChatRequest, WaitingAnswer } from '../../contract/chat.ts';
import type { ErrorKindName } from '../../contract/errors.ts';
import { ref } from '../../contract/schema.ts';
import { Turn } from '../../contract/turn.ts';
import { requireSession } from '../../sessions/require.ts';
import { answerStream, answerWhole, FollowQuery, streamPolicies } from '../answer-turn.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { BODY_ERRORS, eventStreamAnswer, jsonAnswer, responses } from '../document.ts';
import { IdempotencyHeader, idempotencyKeyOf, SessionParams, sessionIdOf, WaitQuery } from '../params.ts';

/** Known before the first byte, on both routes. */
export const START_ERRORS: readonly ErrorKindName[] = [
  'empty_history',
  'context_overflow',
  'images_not_supported',
  'tools_not_supported',
  'session_not_found',
  'message_not_found',
  'session_busy',
  ...BODY_ERRORS,
  'idempotency_mismatch',
  'session_load_error',
  'session_save_error',
  'database_busy',
  'storage_lost',
  'overloaded',
  'not_accepting',
  'turn_interrupted',
];
/** Later ones: statuses on the plain route, `error` events on the stream. */
export const TURN_ERRORS: readonly ErrorKindName[] = [
  'turn_cancelled',
  'model_not_found',
  'ollama_unreachable',
  'engine_failed',
  'engine_not_ready',
  'insufficient_memory',
  'ollama_error',
  'incomplete_response',
  'invalid_structured_output',
  'tool_calls_unusable',
  'tool_confirmation_requires_streaming',
  'tool_loop_limit',
  'engine_busy',
  'engine_timeout',
];

export function chatRoutes(app: App, { turns, db }: AppDeps): void {
  const tags = ['chat'];

  app.post(
    '/api/v1/chat/:session_id',
    {
      schema: {
        tags,
        operationId: 'chat',
        summary: 'Send a message and wait for the answer',
        headers: IdempotencyHeader,
        params: SessionParams,
        body: ref(ChatRequest),
        response: {
          ...responses(200, jsonAnswer('The answer.', ref(ChatAnswer)), [...START_ERRORS, ...TURN_ERRORS]),
          202: jsonAnswer('`on_approval: return`: the turn waits for a person.', ref(WaitingAnswer)),
        },
      },
    },
    async ({ params, body, headers }, reply) => {
      const origin = { route: 'chat', idempotencyKey: idempotencyKeyOf(headers) } as const;
      const asked = toTurnRequest(body, 'chat');
      const turn = await turns.start(sessionIdOf(params), asked, origin);
      const policies = { onApproval: asked.onApproval, onDisconnect: body.on_disconnect };
      return answerWhole(db, turn, policies, reply);
    },
  );

  app.post(
    '/api/v1/chat/:session_id/stream',
    {
      schema: {
        tags,
        operationId: 'streamChat',
        summary: 'Send a message and stream the answer',
        headers: IdempotencyHeader,
        description:
          'Closing the connection cancels the turn; what came until then is kept. With `follow=false` the stream ends with what there is, while the turn goes on: watch it by the id in `x-turn-id`.',
        params: SessionParams,
        querystring: FollowQuery,
        body: ref(ChatRequest),
        response: responses(200, eventStreamAnswer('The events of the turn.'), START_ERRORS),
      },
    },
    async ({ params, query, body, headers }, reply) => {
      const origin = { route: 'stream', idempotencyKey: idempotencyKeyOf(headers) } as const;
      const policies = streamPolicies(body, query);
      const turn = await turns.start(sessionIdOf(params), toTurnRequest(body, 'stream'), origin);
      answerStream(turn, reply, policies);
    },
  );

  app.post(
    '/api/v1/chat/:session_id/preview',
    {
      schema: {
        tags,
        operationId: 'previewChat',
        summary: 'What a chat would send',
        description:
          'The exact request to the engine, with the plan of its tokens. Nothing is sent to the model, and nothing is stored.',
        params: SessionParams,
        body: ref(ChatRequest),
        response: responses(200, jsonAnswer('The request and its plan.', ref(ChatPreview)), [
          'empty_history',
          'context_overflow',
          'images_not_supported',
          'tools_not_supported',
          'session_not_found',
          'message_not_found',
          ...BODY_ERRORS,
          'session_load_error',
        ]),
      },
    },
    async ({ params, body }) => turns.preview(sessionIdOf(params), toTurnRequest(body, 'chat')),
  );

  app.post(
    '/api/v1/chat/:session_id/cancel',
    {
      schema: {
        tags,
        operationId: 'cancelChat',
        summary: 'Cancel the turn that holds a session',
        params: SessionParams,
        querystring: WaitQuery,
        response: responses(200, jsonAnswer('The turn as it stands.', ref(Turn)), [
          'session_not_found',
          'no_active_turn',
          ...BODY_ERRORS,
          'session_load_error',
        ]),
      },
    },
    async ({ params, query }) => {
      const sessionId = sessionIdOf(params);
      await requireSession(db, sessionId);
      return turns.cancel(await turns.holderOf(sessionId), query.wait ?? false);
    },
  );
}
