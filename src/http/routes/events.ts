// What happens on the server, as one stream.
import { Type } from 'typebox';
import { SERVER_EVENT_EXAMPLES, SERVER_EVENTS, ServerEventSchema } from '../../contract/server-event.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { describeEvents, framesOf, responses } from '../document.ts';
import { sendEvents } from '../event-stream.ts';
import { lastSeenEvent } from '../params.ts';

const EXAMPLE_STREAM = (['hello', 'session', 'turn'] as const)
  .map((name, index) => {
    const data = JSON.stringify(SERVER_EVENT_EXAMPLES[name]);
    return `id: ${1_771_148_978_310 + index}\nevent: ${name}\ndata: ${data}\n\n`;
  })
  .join('');

const EVENTS_ANSWER = {
  description: describeEvents('What happens on the server.', SERVER_EVENTS),
  content: {
    'text/event-stream': { schema: framesOf(ServerEventSchema), example: EXAMPLE_STREAM },
  },
};

export function eventRoutes(app: App, { events }: AppDeps): void {
  app.get(
    '/api/v1/events',
    {
      // A HEAD would listen for ever to say nothing.
      exposeHeadRoute: false,
      schema: {
        tags: ['events'],
        operationId: 'watchEvents',
        summary: 'What happens to sessions, turns and models that are fetched',
        description:
          'One stream for whoever shows more than one conversation; it never carries text of messages. Without a number it begins now: read `GET /sessions` after `hello`, then apply what comes. After `Last-Event-ID` or `after` (the larger wins) it goes on from there; where that is not known any more, also after a restart of the server, it says `reset`. A thing that changed several times may be told once, as it is now. With `follow=false` the stream ends with what there is.',
        querystring: Type.Object({
          after: Type.Optional(Type.Integer({ minimum: 0 })),
          follow: Type.Optional(
            Type.Boolean({ description: 'false: what there is, and then the end of the stream.' }),
          ),
        }),
        headers: Type.Object({ 'last-event-id': Type.Optional(Type.String()) }),
        response: responses(200, EVENTS_ANSWER, ['validation_error', 'overloaded']),
      },
    },
    async ({ query, headers }, reply) => {
      const isNew = query.after === undefined && headers['last-event-id'] === undefined;
      void sendEvents(reply, events, {
        after: isNew ? null : lastSeenEvent(headers, query.after),
        reach: query.follow === false ? 'there' : 'end',
      });
    },
  );
}
