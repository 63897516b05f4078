// The images of a message, one at a time.
import { sql } from 'kysely';
import type { Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';

/** @param index from 0 @returns its base64; null: there is no such image, or no such message */
export async function findImage(
  db: Db,
  image: { readonly sessionId: string; readonly messageId: string; readonly index: number },
): Promise<string | null> {
  const { rows } = await sql<{ image: string | null }>`
    select ${dialectOf(db).jsonText('images', image.index)} as image from messages
    where session_id = ${image.sessionId} and id = ${image.messageId}
  `.execute(db);
  return rows[0]?.image ?? null;
}
