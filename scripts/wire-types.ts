// The types of the client, from the OpenAPI document: every named schema, and every answer that has none of its own.
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import { codeOf, ERRORS, type ErrorKindName } from '../src/contract/errors.ts';

const BANNER = '// Made from the schemas of the server by `npm run openapi`: change those.';

interface Operation {
  readonly operationId?: string;
  readonly responses?: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }>
  >;
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

type Schema = { readonly [key: string]: unknown };

export async function wireTypes(document: OpenApi): Promise<string> {
  const definitions = { ...document.components.schemas, ...inlineAnswers(document) };
  const root = { title: 'Wire', type: 'object', additionalProperties: false, definitions };
  const types = await compile(asTypes(root) as JSONSchema, 'Wire', {
    additionalProperties: false,
    bannerComment: BANNER,
    unreachableDefinitions: true,
    style: { singleQuote: true, printWidth: 110 },
  });
  const codes = Object.keys(ERRORS).map((kind) => `'${codeOf(kind as ErrorKindName)}'`);
  const code = `/** Of every error that the server tells. */\nexport type ErrorCode =\n  | ${[...new Set(codes)].join('\n  | ')};\n`;
  const tidy = types
    .replaceAll(
      /^ \*( \n \*)? This interface was referenced by `Wire`'s JSON-Schema\n \* via the `definition` ".*"\.\n/gm,
      '',
    )
    .replaceAll(/^\/\*\*\n( \*\n)*( \*\/\n)/gm, '')
    .replaceAll(/^ \*\n(?= \*\/)/gm, '')
    .replace(/^export interface Wire \{\}\n/m, '');
  const lists = ['TurnEvent', 'ServerEvent'].map((union) => eventNames(document, union));
  return `${tidy}${code}\n${lists.join('\n')}`;
}

/** `TurnEvent` → `TURN_EVENT_NAMES`: what this version knows. */
function eventNames({ components }: OpenApi, union: string): string {
  const names = Object.keys(Object(components.schemas[union]?.['discriminator']).mapping);
  const list = union.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
  return `export const ${list}_NAMES = [\n  '${names.join("',\n  '")}',\n] as const;\n`;
}

/** `listSessions` answers a `ListSessionsAnswer`. */
function inlineAnswers({ paths }: OpenApi): Record<string, Schema> {
  // Other APIs have clients of their own.
  const own = Object.entries(paths).filter(([path]) => path.startsWith('/api/v1/'));
  const operations = own.flatMap(([, path]) => Object.values(path));
  return Object.fromEntries(
    operations.flatMap(({ operationId = '', responses = {} }) =>
      Object.entries(responses).flatMap(([status, { content }]) => {
        const schema = content?.['application/json']?.schema;
        const isNamed = schema === undefined || '$ref' in schema || !status.startsWith('2');
        return isNamed ? [] : [[`${operationId.replace(/^./, (c) => c.toUpperCase())}Answer`, schema]];
      }),
    ),
  );
}

/** What only validation needs is left out; what may be anything is `unknown`. */
function asTypes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asTypes);
  if (typeof value !== 'object' || value === null) return value;
  const { examples: _examples, default: _default, discriminator, ...schema } = value as Schema;
  if (typeof schema['$ref'] === 'string')
    return { ...schema, $ref: schema['$ref'].replace('#/components/schemas/', '#/definitions/') };
  const kept = Object.fromEntries(
    Object.entries(schema)
      .filter(([key, part]) => !isBound(key, part))
      .map(([key, part]) => [
        key,
        key === 'enum' || key === 'required' || key === 'const' ? part : asTypes(part),
      ]),
  );
  if (discriminator !== undefined) delete kept['type'];
  return { ...kept, ...(typeOf(schema) !== null && { tsType: typeOf(schema) }) };
}

/** `anyOf: [{ required: […] }]`, lengths, patterns. */
function isBound(key: string, part: unknown): boolean {
  if (/^(min|max)[A-Z]|^(minimum|maximum|pattern|format)$/.test(key)) return typeof part !== 'object';
  const isOfKeys = Array.isArray(part) && part.every((one) => Object.keys(Object(one)).join() === 'required');
  return (key === 'anyOf' || key === 'oneOf') && isOfKeys;
}

function typeOf(schema: Schema): string | null {
  const keys = Object.keys(schema).filter((key) => !['description', 'title'].includes(key));
  if (keys.length === 0 && 'description' in schema) return 'unknown';
  const isFree =
    schema['properties'] === undefined &&
    [undefined, true].includes(schema['additionalProperties'] as undefined);
  if (schema['type'] === 'object' && isFree && schema['oneOf'] === undefined)
    return 'Record<string, unknown>';
  return null;
}
