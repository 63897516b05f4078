// Small helpers over the schema library, so that every noun is written the same way.
import { type Static, type TSchema, Type } from 'typebox';

/** `string | null` and friends as `type: [x, 'null']`: shorter in OpenAPI 3.1 and clearer in errors than anyOf. */
export function nullable<T extends TSchema & { type: string }>(schema: T) {
  const { type, ...rest } = schema;
  return Type.Unsafe<Static<T> | null>({ ...rest, type: [type, 'null'] });
}

/** A reference to a schema that has an `$id`, typed as what it refers to. */
export function ref<T extends TSchema>(schema: T) {
  return Type.Unsafe<Static<T>>({ $ref: `${nameOf(schema)}#` });
}

/** A reference that may be null. */
export function nullableRef<T extends TSchema>(schema: T) {
  return Type.Unsafe<Static<T> | null>({ anyOf: [{ $ref: `${nameOf(schema)}#` }, { type: 'null' }] });
}

/** Events of a stream by the name of each: one of them, told apart by `event`. */
export function eventUnion<T extends Readonly<Record<string, TSchema>>>($id: string, events: T) {
  const mapping = Object.entries(events).map(([name, schema]) => [
    name,
    `#/components/schemas/${nameOf(schema)}`,
  ]);
  return Type.Unsafe<Static<T[keyof T]>>({
    $id,
    description: 'One frame of the stream: the name of its event and its data.',
    type: 'object',
    discriminator: { propertyName: 'event', mapping: Object.fromEntries(mapping) },
    oneOf: Object.values(events).map((schema) => ({ $ref: `${nameOf(schema)}#` })),
  });
}

/** One event of a stream. */
export function eventSchema<const Name extends string, T extends TSchema>(
  name: Name,
  data: T,
  { description, example }: { readonly description: string; readonly example: unknown },
) {
  const examples = [{ event: name, data: example }];
  return Type.Object(
    { event: Type.Literal(name), data },
    { $id: `${pascal(name)}Event`, description, examples },
  );
}

/** `turn_start` → `TurnStart`: schemas are named like types. */
export function pascal(name: string): string {
  return name.replaceAll(/(?:^|_)(\w)/g, (_match, letter: string) => letter.toUpperCase());
}

/** The `$id` of a named schema. @throws Error for a schema without one: a slip of the programmer, seen at load */
function nameOf(schema: TSchema): string {
  const { $id: name } = schema as { $id?: unknown };
  if (typeof name !== 'string') throw new Error('A schema that others refer to needs an $id.');
  return name;
}

/** A closed set of strings as one `enum`. */
export function oneOf<const T extends readonly string[]>(values: T, options: object = {}) {
  return Type.Unsafe<T[number]>({ type: 'string', enum: values, ...options });
}

/** A JSON object whose members nobody checks. */
export const FreeObject = freeObject();

/** The same, described. */
export function freeObject(options: object = {}) {
  return Type.Unsafe<Record<string, unknown>>({ type: 'object', ...options });
}

export const Timestamp = Type.String({
  format: 'date-time',
  description: 'ISO 8601, UTC, six fraction digits.',
  examples: ['2026-02-15T09:49:38.310281Z'],
});

/** The same, or null. */
export function nullableObject(options: object = {}) {
  return Type.Unsafe<Record<string, unknown> | null>({ type: ['object', 'null'], ...options });
}

/** What an id of a session, a message or a turn may look like on input; anything else is not found. */
export const ID_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;
