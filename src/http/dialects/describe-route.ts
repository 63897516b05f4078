// A route of a dialect as the OpenAPI document shows it: errors in the shape in which they are told there.
import { type TSchema, Type } from 'typebox';
import { ERRORS, type ErrorKindName, MochiError } from '../../contract/errors.ts';
import type { Dialect, DialectRoute } from '../../dialects/dialect.ts';

/** What every route can answer. */
const COMMON: readonly ErrorKindName[] = [
  'unauthorized',
  'host_not_allowed',
  'model_not_found',
  'not_supported',
  'internal_error',
  'ollama_unreachable',
  'ollama_error',
  'engine_busy',
];
const OF_BODIES: readonly ErrorKindName[] = [
  'validation_error',
  'payload_too_large',
  'unsupported_media_type',
];
/** What has no turn is about what there is: models, sessions, what an engine can do. */
const OF_OTHERS: readonly ErrorKindName[] = [
  'validation_error',
  'not_supported',
  'model_not_found',
  'session_not_found',
  'session_busy',
  'ollama_unreachable',
  'ollama_error',
  'engine_busy',
  'engine_timeout',
];
const OF_TURNS: readonly ErrorKindName[] = [
  'context_overflow',
  'images_not_supported',
  'tools_not_supported',
  'session_not_found',
  'session_busy',
  'turn_cancelled',
  'incomplete_response',
  'invalid_structured_output',
  'overloaded',
  'not_accepting',
  'engine_timeout',
];

export function describeRoute(dialect: Dialect, route: DialectRoute) {
  const { operationId, summary, description, path, answer } = route;
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
  const params = [...names, ...(path.endsWith('/*') ? ['*'] : [])].map((name) => [name, Type.String()]);
  const content =
    typeof answer === 'string'
      ? { [answer]: { schema: { type: 'string' } } }
      : { 'application/json': { schema: answer } };
  return {
    tags: [dialect.tag.name],
    ...(route.isHidden && { hide: true }),
    operationId,
    summary,
    ...(description !== undefined && { description }),
    ...(params.length > 0 && { params: Type.Object(Object.fromEntries(params)) }),
    ...bodyOf(route),
    response: {
      200: { description: 'The answer.', content },
      ...Object.fromEntries(
        Object.entries(route.alsoAnswers ?? {}).map(([status, text]) => [
          status,
          { description: text, type: 'null' },
        ]),
      ),
      ...errorsOf(dialect, route),
    },
  };
}

export function bodyOf({ body }: DialectRoute): { readonly body?: TSchema } {
  return body === undefined || body === 'bytes' ? {} : { body };
}

function errorsOf(
  { tellError, names: [owner] }: Dialect,
  { body, isTurn = false }: DialectRoute,
): Record<number, object> {
  const kinds = [...COMMON, ...(body === undefined ? [] : OF_BODIES), ...(isTurn ? OF_TURNS : OF_OTHERS)];
  const told = [...new Set(kinds)].map((kind) => {
    const { text } = ERRORS[kind];
    return {
      kind,
      name: `${owner}.${kind}`,
      text,
      ...tellError(new MochiError(kind, text), { id: 'req_1f0a2b3c' }),
    };
  });
  const byStatus = Map.groupBy(told, ({ status }) => status);
  const described = [...byStatus].map(([status, group]) => [status, describeErrors(group)]);
  return Object.fromEntries(described);
}

function describeErrors(
  group: readonly {
    readonly kind: ErrorKindName;
    readonly name: string;
    readonly text: string;
    readonly body: object | string;
  }[],
): object {
  const examples = group.map(({ name, text, body }) => [name, { summary: text, value: body }]);
  const description = group.map(({ kind, text }) => `\`${kind}\`: ${text}`).join('\n\n');
  // Some tell errors as a text.
  const isText = group.every(({ body }) => typeof body === 'string');
  const schema = isText ? { type: 'string' } : { type: 'object', additionalProperties: true };
  const type = isText ? 'text/plain' : 'application/json';
  return { description, content: { [type]: { schema, examples: Object.fromEntries(examples) } } };
}
