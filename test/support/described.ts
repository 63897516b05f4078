// Holds answers against the checked-in OpenAPI document.
import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

interface Response {
  readonly content?: Record<string, { schema: object }>;
}

interface Operation {
  readonly responses: Record<string, Response | { readonly $ref: string }>;
}

interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly responses: Record<string, Response> };
}

const file = new URL('../../openapi.json', import.meta.url);
const document: Document = JSON.parse(readFileSync(file, 'utf8'));
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ $id: 'openapi', components: document.components });
const validators = new Map<string, ValidateFunction>();

const templates = Object.keys(document.paths).map((path) => ({
  path,
  // The wildcard of model names is written as a parameter in the document.
  pattern: new RegExp(
    `^${path.replace(/\{[^}]+\}$/, /^\/(?:api\/)?v1\/models\//.test(path) ? '.+' : '[^/]+').replace(/\{[^}]+\}/g, '[^/]+')}/?$`,
  ),
}));

export interface SeenAnswer {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly body: unknown;
  readonly isJson: boolean;
}

/** @throws Error when the document does not know the status, or its schema does not fit the body */
export async function expectDescribed({ method, url, status, body, isJson }: SeenAnswer): Promise<void> {
  const { pathname } = new URL(url);
  // A path without parameters is no value of one.
  const template =
    templates.find(({ path }) => path === pathname) ??
    templates.find(({ pattern }) => pattern.test(pathname));
  const operation = template && document.paths[template.path]?.[method.toLowerCase()];
  // Unknown paths and methods, and refusals before routing, are not of any operation.
  if (operation === undefined || ([400, 405, 408, 431].includes(status) && !(status in operation.responses)))
    return;
  const response = resolve(operation.responses[String(status)]);
  const name = `${method} ${template?.path} → ${status}`;
  if (response === undefined)
    throw new Error(`${name} is not described: ${JSON.stringify(body).slice(0, 300)}`);
  const schema = response.content?.['application/json']?.schema;
  if (schema === undefined || !isJson) return;
  const validate = validators.get(name) ?? ajv.compile(rebase(schema));
  validators.set(name, validate);
  if (!validate(body)) {
    throw new Error(
      `${name} does not fit its description: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(body).slice(0, 500)}`,
    );
  }
}

/** Answers of errors stand beside the operations that share them. */
function resolve(response: Operation['responses'][string] | undefined): Response | undefined {
  if (response === undefined || !('$ref' in response)) return response;
  return document.components.responses[response.$ref.slice('#/components/responses/'.length)];
}

/** References of the document point into it from wherever they stand. */
function rebase(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"openapi#/components/'));
}
