// The generated OpenAPI document, made smaller and truer: what many routes answer alike is told once, and nothing is
// said that misleads a generator of clients.
import type { SwaggerTransformObject } from '@fastify/swagger';

type Json = Record<string, unknown>;

/** Bodies that may be left out; the generator of the document takes every body for required. */
const OPTIONAL_BODIES = [
  '/api/v1/sessions',
  '/api/v1/sessions/{session_id}/fork',
  '/api/v1/sessions/{session_id}/summarize',
  '/api/v1/tools/{name}/run',
];

export const tidyDocument: SwaggerTransformObject = (document) => {
  if (!('openapiObject' in document)) return document.swaggerObject;
  const { openapiObject } = document;
  for (const path of OPTIONAL_BODIES) {
    const body = openapiObject.paths?.[path]?.post?.requestBody;
    if (body && 'required' in body) body.required = false;
  }
  // Relative to the document: a path that a proxy puts before it is in front of every route too.
  openapiObject.servers = [{ url: '.', description: 'This server.' }];
  const described = tellDefaults(openapiObject) as Json;
  shareErrors(described);
  return described;
};

/**
 * A default is told in words: generators of clients take a property that has one for a property that is always there,
 * and so for one that must be sent.
 */
function tellDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tellDefaults);
  if (!isObject(value)) return value;
  const told = Object.entries(value).map(([key, member]) => [
    key,
    // What is shown is not what is described.
    key === 'example' || key === 'examples' ? member : tellDefaults(member),
  ]);
  const { default: standard, ...rest }: Json = openObject(Object.fromEntries(told));
  if (standard === undefined || !isSchema(rest))
    return { ...rest, ...(standard !== undefined && { default: standard }) };
  const { description } = rest;
  const text = `Default: \`${JSON.stringify(standard)}\`.`;
  return { ...rest, description: typeof description === 'string' ? `${description} ${text}` : text };
}

/** Objects may have members that are not described; generators take one without any description for an empty one. */
function openObject(schema: Json): Json {
  const isObjectSchema = [schema['type']].flat().includes('object');
  const isBare = !['properties', 'additionalProperties', 'oneOf'].some((word) => word in schema);
  return isObjectSchema && isBare ? { ...schema, additionalProperties: true } : schema;
}

/** A map of properties can have one called `default`; a schema has words of its own. */
function isSchema(value: Json): boolean {
  return ['type', 'enum', 'anyOf', '$ref'].some((word) => word in value);
}

/** Answers of errors become components, named by their status and their codes. */
function shareErrors(document: Json): void {
  const shared = new Map<string, { readonly name: string; readonly response: unknown }>();
  for (const operation of operationsOf(document)) {
    const { responses } = operation;
    if (!isObject(responses)) continue;
    for (const [status, response] of Object.entries(responses)) {
      if (Number(status) < 400) continue;
      const text = JSON.stringify(response);
      const { name } = shared.get(text) ?? { name: nameOfResponse(status, response) };
      shared.set(text, { name, response });
      responses[status] = { $ref: `#/components/responses/${name}` };
    }
  }
  const named = [...shared.values()].map(({ name, response }) => [name, response] as const);
  if (new Set(named.map(([name]) => name)).size !== named.length) {
    throw new Error('Two different answers of errors have the same status and codes.');
  }
  const responses = Object.fromEntries(named.toSorted(([left], [right]) => (left < right ? -1 : 1)));
  document['components'] = { ...Object(document['components']), responses };
}

/** `404-session_not_found`. */
function nameOfResponse(status: string, response: unknown): string {
  const [media] = Object.values(Object(response).content);
  const codes = Object.keys(Object(media).examples);
  return [status, ...codes].join('-');
}

function operationsOf(document: Json): Json[] {
  const paths = Object.values(Object(document['paths']) as Json);
  return paths.flatMap((path) => Object.values(Object(path) as Json)).filter(isObject);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
