// The routes of the OpenAPI document: what is described is what is fuzzed, new routes without a change here.
import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

/** A schema as the document writes it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly examples?: readonly unknown[];
}

export interface Operation {
  /** `POST /api/v1/sessions` */
  readonly name: string;
  readonly method: string;
  /** With `{parameters}`. */
  readonly template: string;
  /** Of the JSON body; null for an operation without one. */
  readonly body: Schema | null;
  /** Whether a JSON value is a body that the document allows. */
  accepts(body: unknown): boolean;
}

interface Document {
  readonly paths: Record<string, Record<string, DescribedOperation>>;
  readonly components: { readonly schemas: Record<string, Schema> };
}

interface DescribedOperation {
  readonly requestBody?: { readonly content: Record<string, { readonly schema?: Schema }> };
}

const file = new URL('../../openapi.json', import.meta.url);
const document: Document = JSON.parse(readFileSync(file, 'utf8'));
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ $id: 'openapi', components: document.components });

/** Streams that go on for as long as somebody listens: no answer of theirs is ever whole. */
const ENDLESS = new Set(['GET /api/v1/events', 'GET /api/v1/approvals/stream']);

export const operations: readonly Operation[] = Object.entries(document.paths)
  .flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, described]) => toOperation(method, template, described)),
  )
  .filter(({ name }) => !ENDLESS.has(name));

function toOperation(method: string, template: string, described: DescribedOperation): Operation {
  const body = described.requestBody?.content['application/json']?.schema ?? null;
  let validate: ValidateFunction | null = null;
  return {
    name: `${method.toUpperCase()} ${template}`,
    method: method.toUpperCase(),
    template,
    body,
    accepts(value) {
      if (body === null) return true;
      validate ??= ajv.compile(rebase(body));
      return validate(value);
    },
  };
}

/** Follows a reference into the document. */
export function resolveSchema(schema: Schema): Schema {
  const name = schema.$ref?.replace(/^#\/components\/schemas\//, '');
  if (name === undefined) return schema;
  const found = document.components.schemas[name];
  if (found === undefined) throw new Error(`the document has no schema ${name}`);
  return resolveSchema(found);
}

/** Puts values in the place of `{parameters}`. */
export function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

function rebase(schema: Schema): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"openapi#/components/'));
}
