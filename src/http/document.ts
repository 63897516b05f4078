// What routes say of their answers: the OpenAPI document is made of it, by `npm run openapi`.
import type { TSchema } from 'typebox';
import { codeOf, ERRORS, type ErrorKindName, MochiError } from '../contract/errors.ts';
import { ref } from '../contract/schema.ts';
import { ErrorEnvelope } from '../contract/turn.ts';
import { TURN_EVENTS, TurnEventSchema } from '../contract/turn-event.ts';
import { EVENT_EXAMPLES } from '../contract/turn-event-examples.ts';
import { envelope } from './error-response.ts';

/** What every route can answer, whatever it does. */
const COMMON_ERRORS: readonly ErrorKindName[] = ['unauthorized', 'host_not_allowed', 'internal_error'];

/** What a route can answer that reads or writes what is stored. */
const STORE_ERRORS: readonly ErrorKindName[] = ['database_busy', 'overloaded'];

/** The responses of a route: its answer, and its errors grouped by status with an example each. */
export function responses(
  status: 200 | 201 | 204,
  answer: object,
  errors: readonly ErrorKindName[],
): Record<number, object> {
  const isOfStore = errors.some((kind) => /^session_(load|save)_error$/.test(kind));
  const kinds = [...new Set([...errors, ...(isOfStore ? STORE_ERRORS : []), ...COMMON_ERRORS])];
  const byStatus = Map.groupBy(kinds, (kind) => ERRORS[kind].status);
  const errorsByStatus = [...byStatus].map(([code, group]) => [code, errorResponse(group)]);
  return { [status]: answer, ...Object.fromEntries(errorsByStatus) };
}

export function jsonAnswer(description: string, schema: TSchema): object {
  return { description, content: { 'application/json': { schema } } };
}

/** Of every route that reads a body, or is sent one all the same. */
export const BODY_ERRORS = ['validation_error', 'payload_too_large', 'unsupported_media_type'] as const;

/** 204. */
export const NO_CONTENT = { description: 'Done.', type: 'null' };

/** Most routes answer the same errors: each group of them is described once. */
const described = new Map<string, object>();

function errorResponse(kinds: readonly ErrorKindName[]): object {
  const key = kinds.join();
  const known = described.get(key) ?? describeErrors(kinds);
  described.set(key, known);
  return known;
}

function describeErrors(kinds: readonly ErrorKindName[]): object {
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
