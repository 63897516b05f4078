// Pages: a limit and an opaque cursor. A cursor is a position, so that a page costs the same wherever it begins.
import { Type } from 'typebox';
import { MochiError } from '../contract/errors.ts';

/** API.md §2. */
export const MAX_LIMIT = 1000;

export const PageQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_LIMIT })),
  cursor: Type.Optional(Type.String({ maxLength: 500, description: '`next_cursor` of the page before.' })),
});

type Position = readonly (string | number)[];

/**
 * @param list which list it is a position of, with what narrows it, such as the id of the session: a cursor
 *   says nothing about any other list
 */
export function toCursor(list: string, position: Position): string {
  return Buffer.from(JSON.stringify([list, ...position])).toString('base64url');
}

/** @param shape the types of the parts. @throws MochiError invalid_cursor for what this list has not issued */
export function fromCursor<const Shape extends readonly ('string' | 'number')[]>(
  list: string,
  cursor: string,
  shape: Shape,
): { [Index in keyof Shape]: Shape[Index] extends 'string' ? string : number } {
  const [issuer, ...position] = parse(cursor);
  const fits =
    issuer === list &&
    position.length === shape.length &&
    shape.every((type, index) => typeof position[index] === type);
  if (!fits) {
    throw new MochiError(
      'invalid_cursor',
      'The cursor was not issued by this list. Send `next_cursor` of the page before, or none for the first page.',
    );
  }
  // Checked part by part above.
  return position as never;
}

function parse(cursor: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

/** One row more than asked for tells whether there is a next page. */
export function splitPage<T>(
  rows: readonly T[],
  limit: number,
): { readonly items: readonly T[]; readonly last: T | null } {
  return rows.length > limit
    ? { items: rows.slice(0, limit), last: rows[limit - 1] ?? null }
    : { items: rows, last: null };
}
