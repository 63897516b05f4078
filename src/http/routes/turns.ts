// Turns: watch one from anywhere, cancel it, see what became of it.
import { Type } from 'typebox';
import { nullable, ref } from '../../contract/schema.ts';
import { DescribedTurn, Turn } from '../../contract/turn.ts';
import { requireSession } from '../../sessions/require.ts';
import { describeRuns } from '../../store/agent-runs.ts';
import { STREAM_PATH } from '../access.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { BODY_ERRORS, eventStreamAnswer, jsonAnswer, responses } from '../document.ts';
import { sendEvents } from '../event-stream.ts';
import { fromCursor, PageQuery, splitPage, toCursor } from '../paging.ts';
import { lastSeenEvent, SessionParams, sessionIdOf, TurnParams, turnIdOf, WaitQuery } from '../params.ts';
import { TOKEN_SECONDS } from '../stream-token.ts';

/** Turns on a page when no limit is given (API.md §2). */
const DEFAULT_LIMIT = 100;

const READ_ERRORS = ['turn_not_found', 'validation_error', 'session_load_error'] as const;

const StreamToken = Type.Object({
  token: Type.String({ examples: ['4w1x2k.mZ0Qd2T1uS7nq3o5Jw8yYb6cXeVfRgHhIiKkLlMmNn0'] }),
  expires_in_seconds: Type.Integer({ examples: [TOKEN_SECONDS] }),
});

const STREAM_RESPONSES: Record<number, object> = {
  ...responses(200, eventStreamAnswer('The events of the turn.'), [...READ_ERRORS, 'overloaded']),
  204: { description: 'The turn has ended and every event was seen.', type: 'null' },
};

export function turnRoutes(app: App, { db, turns, streamTokens }: AppDeps): void {
  const tags = ['turns'];

  app.get(
    '/api/v1/turns/:turn_id',
    {
      schema: {
        tags,
        operationId: 'getTurn',
        summary: 'A turn: its state, error and usage',
        description:
          'The run of an agent is a turn, too; the turn that has started it names it in `agent_turns`.',
        params: TurnParams,
        response: responses(200, jsonAnswer('The turn.', ref(DescribedTurn)), READ_ERRORS),
      },
    },
    async ({ params }) => (await describeRuns(db, [await turns.describe(turnIdOf(params))]))[0],
  );

  app.get(
    STREAM_PATH,
    {
      // A HEAD would watch the whole turn to say nothing.
      exposeHeadRoute: false,
      schema: {
        tags,
        operationId: 'watchTurn',
        summary: 'Watch a turn, from the start or from where you were',
        description:
          'Replays the events after `Last-Event-ID` or `after` (the larger wins), then follows. 204 when the watcher has seen them all: a browser stops reconnecting then. Leaving does nothing to the turn. With `follow=false` the stream ends with what there is, which may be nothing yet: for clients that ask again and again, where a connection cannot stay open or nothing arrives before its end.',
        params: TurnParams,
        querystring: Type.Object({
          after: Type.Optional(Type.Integer({ minimum: 0 })),
          follow: Type.Optional(
            Type.Boolean({
              description: 'false: what there is after that, and then the end of the stream.',
            }),
          ),
          token: Type.Optional(
            Type.String({ description: 'In the place of a key, for EventSource, which cannot send one.' }),
          ),
        }),
        headers: Type.Object({ 'last-event-id': Type.Optional(Type.String()) }),
        response: STREAM_RESPONSES,
      },
    },
    async ({ params, query, headers }, reply) => {
      const turn = await turns.open(turnIdOf(params));
      const after = lastSeenEvent(headers, query.after);
      const hasSeenAll = turn.isFinished && turn.lastEventId > 0 && after >= turn.lastEventId;
      if (hasSeenAll) void reply.code(204).send();
      else void sendEvents(reply, turn, { after, reach: query.follow === false ? 'there' : 'end' });
    },
  );

  app.post(
    '/api/v1/turns/:turn_id/stream-token',
    {
      schema: {
        tags,
        operationId: 'issueStreamToken',
        summary: 'A token for the stream of a turn',
        description:
          'Stands in the address of `GET /turns/{turn_id}/stream` in the place of a key, for `EventSource`, which cannot send one. It opens that stream of that turn and nothing else, as often as it is used within ten minutes; a stream that is open stays open.',
        params: TurnParams,
        response: responses(200, jsonAnswer('The token.', StreamToken), [...READ_ERRORS, ...BODY_ERRORS]),
      },
    },
    async ({ params }, reply) => {
      const { turn_id: turnId } = await turns.describe(turnIdOf(params));
      void reply.header('cache-control', 'no-store');
      return { token: await streamTokens.issue(turnId), expires_in_seconds: TOKEN_SECONDS };
    },
  );

  app.post(
    '/api/v1/turns/:turn_id/cancel',
    {
      schema: {
        tags,
        operationId: 'cancelTurn',
        summary: 'Cancel a turn in whatever state it is',
        description:
          'The engine stops at once, the part is kept. Idempotent: an ended turn stays as it ended.',
        params: TurnParams,
        querystring: WaitQuery,
        response: responses(200, jsonAnswer('The turn as it stands.', ref(Turn)), [
          ...READ_ERRORS,
          ...BODY_ERRORS,
        ]),
      },
    },
    async ({ params, query }) => turns.cancel(turnIdOf(params), query.wait ?? false),
  );

  app.get(
    '/api/v1/sessions/:session_id/turns',
    {
      schema: {
        tags,
        operationId: 'listTurns',
        summary: 'Turns of a session, the newest first',
        params: SessionParams,
        querystring: PageQuery,
        response: responses(
          200,
          jsonAnswer(
            'A page of turns.',
            Type.Object({ turns: Type.Array(ref(DescribedTurn)), next_cursor: nullable(Type.String()) }),
          ),
          ['session_not_found', 'invalid_cursor', 'validation_error', 'session_load_error'],
        ),
      },
    },
    async ({ params, query }) => {
      const sessionId = sessionIdOf(params);
      const limit = query.limit ?? DEFAULT_LIMIT;
      const list = `turns ${sessionId}`;
      const position =
        query.cursor === undefined ? null : fromCursor(list, query.cursor, ['string', 'string']);
      await requireSession(db, sessionId);
      const rows = await turns.list(sessionId, {
        limit: limit + 1,
        before: position && { createdAt: position[0], id: position[1] },
      });
      const { items, last } = splitPage(rows, limit);
      return {
        turns: await describeRuns(db, items),
        next_cursor: last && toCursor(list, [last.created_at, last.turn_id]),
      };
    },
  );
}
