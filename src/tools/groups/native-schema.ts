// The schema of a native tool, in whichever of the usual ways it is written.
import type { JsonSchema } from '../tool.ts';

export interface ReadSchema {
  readonly json: JsonSchema;
  /** The schema's own check, which may also change the value. @throws Error in words for the model */
  validate(input: Readonly<Record<string, unknown>>): Promise<unknown>;
}

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

interface Standard {
  readonly jsonSchema?: { input(options: { target: string }): JsonSchema };
  validate?(value: unknown): Promise<StandardResult> | StandardResult;
}

type StandardResult = { readonly issues?: readonly Issue[] | undefined; readonly value?: unknown };

/** What `jsonSchema()` of the AI SDK returns. */
interface SdkSchema {
  readonly jsonSchema: JsonSchema | PromiseLike<JsonSchema>;
  validate?(value: unknown): Promise<SdkResult> | SdkResult;
}

type SdkResult = { readonly success: boolean; readonly value?: unknown; readonly error?: Error };

const NO_ARGUMENTS: JsonSchema = { type: 'object', properties: {}, additionalProperties: false };

/** @throws Error: it is none that can be read */
export async function readSchema(given: unknown): Promise<ReadSchema> {
  if (given === undefined || given === null) return { json: NO_ARGUMENTS, validate: async (input) => input };
  // Libraries with `~standard` may be functions themselves.
  if (isObject(given) && '~standard' in given) return readStandard(given['~standard'] as Standard);
  if (typeof given === 'function') return readSchema(await given());
  if (!isObject(given)) throw new Error('its inputSchema is no object');
  if ('jsonSchema' in given) return readSdkSchema(given as unknown as SdkSchema);
  return { json: plain(given), validate: async (input) => input };
}

function readStandard(standard: Standard): ReadSchema {
  if (typeof standard.jsonSchema?.input !== 'function') {
    throw new Error(
      'its inputSchema cannot say which JSON Schema it is: that takes Zod 4.2, ArkType 2.1.28, Valibot with its adapter, or a JSON Schema',
    );
  }
  const json = plain(standard.jsonSchema.input({ target: 'draft-2020-12' }));
  return {
    json,
    async validate(input) {
      const result = await standard.validate?.(input);
      if (result === undefined) return input;
      if (result.issues !== undefined) throw new Error(result.issues.map(issueText).join('; '));
      return result.value;
    },
  };
}

async function readSdkSchema(schema: SdkSchema): Promise<ReadSchema> {
  const json = plain(await schema.jsonSchema);
  return {
    json,
    async validate(input) {
      const result = await schema.validate?.(input);
      if (result === undefined) return input;
      if (!result.success) throw result.error ?? new Error('The arguments do not fit');
      return result.value;
    },
  };
}

/** As JSON carries it: what libraries keep beside it is gone. */
function plain(schema: unknown): JsonSchema {
  const json: unknown = JSON.parse(JSON.stringify(schema) ?? 'null');
  if (!isObject(json) || Array.isArray(json)) throw new Error('its inputSchema is no JSON Schema');
  if (json['type'] !== 'object')
    throw new Error('its inputSchema is not that of an object: "type" has to be "object"');
  return json;
}

function issueText({ message, path = [] }: Issue): string {
  const place = path.map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
  return place === '' ? message : `${place}: ${message}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' || typeof value === 'function') && value !== null;
}
