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

export function toCursor(position: Position): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** @param shape the types of the parts. @throws MochiError invalid_cursor */
export function fromCursor<const Shape extends readonly ('string' | 'number')[]>(
  cursor: string,
  shape: Shape,
): { [Index in keyof Shape]: Shape[Index] extends 'string' ? string : number } {
  const position = parse(cursor);
  const fits =
    Array.isArray(position) &&
    position.length === shape.length &&
    shape.every((type, index) => typeof position[index] === type);
  if (!fits) throw new MochiError('invalid_cursor', 'The cursor was not issued by this list.', {});
  // Checked part by part above.
  return position as never;
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return null;
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
