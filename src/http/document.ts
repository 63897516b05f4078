// The OpenAPI document: made from the schemas that validate, with the errors and events of every route.
import swagger from '@fastify/swagger';
import type { FastifyInstance, FastifySchema } from 'fastify';
import type { TSchema } from 'typebox';
import { codeOf, ERRORS, type ErrorKind, type ErrorKindName, MochiError } from '../contract/errors.ts';
import { ref } from '../contract/schema.ts';
import { ErrorEnvelope } from '../contract/turn.ts';
import { TURN_EVENTS, TurnEventSchema } from '../contract/turn-event.ts';
import { EVENT_EXAMPLES } from '../contract/turn-event-examples.ts';
import { envelope } from './error-response.ts';
import { type PageOptions, pageRoutes } from './pages/page-routes.ts';
import { tidyDocument } from './tidy-document.ts';

/** What every route can answer, whatever it does. */
const COMMON_ERRORS: readonly ErrorKindName[] = ['unauthorized', 'host_not_allowed', 'internal_error'];

/** Every code, those included that come before any route. */
const ERROR_TABLE = [
  'Every error has the envelope `{"detail":{"error":{code,message,details}}}`. Its codes:',
  '',
  '| code | status | when |',
  '|---|---|---|',
  ...Object.values(ERRORS).map(
    (kind: ErrorKind, index) =>
      `| \`${kind.code ?? Object.keys(ERRORS)[index]}\` | ${kind.status} | ${kind.text} |`,
  ),
].join('\n');

export async function describeApi(app: FastifyInstance, page: PageOptions): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'mochi-server',
        version: page.version,
        description: `Conversations that last, on local models. Send one message; the server keeps the history, drives the model and saves everything.\n\n${ERROR_TABLE}`,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      tags: [
        { name: 'sessions', description: 'Conversations and their settings.' },
        { name: 'branches', description: 'The message tree: nothing that was said is destroyed.' },
        { name: 'system prompts', description: 'Texts kept as files, for many sessions.' },
        { name: 'chat', description: 'Send a message, get an answer.' },
        { name: 'turns', description: 'What answers a request, apart from any connection.' },
        { name: 'events', description: 'What happens on the server, as it happens.' },
        { name: 'tools', description: 'What models may ask for, and the server runs.' },
        { name: 'approvals', description: 'What a person is asked before something happens.' },
        { name: 'agents', description: 'What works at a task by itself, with tools of its own.' },
        { name: 'models', description: 'What the engine can run.' },
        { name: 'health', description: 'Is it up?' },
      ],
      components: {
        securitySchemes: {
          apiKey: { type: 'http', scheme: 'bearer', description: 'Only where MOCHI_API_KEYS is set.' },
        },
      },
      security: [{}, { apiKey: [] }],
    },
    transform: nameWildcards,
    transformObject: tidyDocument,
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) =>
        typeof json['$id'] === 'string' ? json['$id'] : String(index),
    },
  });
  // Once: whoever asks for it gets the same bytes.
  let document: Buffer | null = null;
  const readDocument = () => (document ??= Buffer.from(JSON.stringify(app.swagger())));
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('application/json; charset=utf-8').send(readDocument()),
  );
  pageRoutes(app, readDocument, page);
}

/** OpenAPI has no wildcards: the one in the path of a model becomes a parameter called `name`. */
function nameWildcards({ schema, url }: { schema: FastifySchema; url: string }): {
  schema: FastifySchema;
  url: string;
} {
  if (!url.endsWith('/*') || schema?.params === undefined) return { schema, url };
  const { properties } = Object(schema.params);
  const params = { type: 'object', required: ['name'], properties: { name: properties['*'] } };
  return { schema: { ...schema, params }, url: url.replace('*', ':name') };
}

/** The responses of a route: its answer, and its errors grouped by status with an example each. */
export function responses(
  status: 200 | 201 | 204,
  answer: object,
  errors: readonly ErrorKindName[],
): Record<number, object> {
  const kinds = [...new Set([...errors, ...COMMON_ERRORS])];
  const byStatus = Map.groupBy(kinds, (kind) => ERRORS[kind].status);
  const described = [...byStatus].map(([code, group]) => [code, errorResponse(group)]);
  return { [status]: answer, ...Object.fromEntries(described) };
}

export function jsonAnswer(description: string, schema: TSchema): object {
  return { description, content: { 'application/json': { schema } } };
}

/** Of every route that reads a body, or is sent one all the same. */
export const BODY_ERRORS = ['validation_error', 'payload_too_large', 'unsupported_media_type'] as const;

/** 204. */
export const NO_CONTENT = { description: 'Done.', type: 'null' };

function errorResponse(kinds: readonly ErrorKindName[]): object {
  const examples = Object.fromEntries(
    kinds.map((kind) => [
      codeOf(kind),
      { summary: ERRORS[kind].text, value: envelope(new MochiError(kind, ERRORS[kind].text).toBody()) },
    ]),
  );
  const description = kinds.map((kind) => `\`${codeOf(kind)}\`: ${ERRORS[kind].text}`).join('\n\n');
  return { description, content: { 'application/json': { schema: ref(ErrorEnvelope), examples } } };
}

/** The stream of a turn: every event with its payload, and a whole stream as example. */
export function eventStreamAnswer(description: string): object {
  return {
    description: describeEvents(description, TURN_EVENTS),
    content: {
      'text/event-stream': {
        schema: framesOf(TurnEventSchema),
        example: EXAMPLE_STREAM,
      },
    },
  };
}

/** What a stream consists of, and what each of its events says. */
export function describeEvents(description: string, kinds: Readonly<Record<string, TSchema>>): string {
  const events = Object.entries(kinds).map(
    ([name, { description: text }]: [string, { description?: string }]) => `- \`${name}\`: ${text ?? ''}`,
  );
  return `${description}\n\nFrames: \`id: <n>\`, \`event: NAME\`, \`data: {one line of JSON}\`. Ignore events that you do not know.\n\n${events.join('\n')}`;
}

/** A stream is text; what each frame of it says is a schema. */
export function framesOf(event: TSchema): object {
  return { type: 'string', contentMediaType: 'text/event-stream', contentSchema: ref(event) };
}

const EXAMPLE_STREAM = (
  ['turn_start', 'context', 'status', 'content_delta', 'message_complete', 'done'] as const
)
  .map((name, index) => `id: ${index + 1}\nevent: ${name}\ndata: ${JSON.stringify(EVENT_EXAMPLES[name])}\n\n`)
  .join('');
