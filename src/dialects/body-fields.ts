// Fields of request bodies: null is as if absent, and what is not named is let through and ignored.
import { type TSchema, Type } from 'typebox';
import { nullable, nullableObject } from '../contract/schema.ts';

export function maybe<T extends TSchema & { type: string }>(schema: T) {
  return Type.Optional(nullable<T>(schema));
}

export const MaybeText = maybe(Type.String());
export const MaybeNumber = maybe(Type.Number());
export const MaybeFlag = maybe(Type.Boolean());
export const MaybeObject = Type.Optional(nullableObject());
export const ModelName = Type.String({ minLength: 1, maxLength: 512 });

/** A string or a list of them. */
export const MaybeStop = Type.Optional(
  Type.Unsafe<string | string[] | null>({
    anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }, { type: 'null' }],
  }),
);

/** An object of which the members are read where it is used. */
export const AnyObject = Type.Unsafe<Record<string, unknown>>({ type: 'object' });

export function maybeList<T extends TSchema>(schema: T) {
  return maybe(Type.Array(schema));
}
