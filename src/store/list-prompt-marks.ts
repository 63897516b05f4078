// What the engine was last sent for sessions: after a start, what it may still hold.
import { type RawBuilder, sql } from 'kysely';
import type { Db } from './database.ts';
import { parseStored } from './parse-stored.ts';
import type { PromptMark } from './prompt-mark.ts';

/** What was sent for the sessions that changed since an instant, the oldest first. Each kind has an index of its own. */
export async function listPromptMarks(db: Db, since: string): Promise<PromptMark[]> {
  const marks = (kind: RawBuilder<boolean>) =>
    db
      .selectFrom('sessions')
      .select(['prompt_mark', 'updated_at'])
      .where('updated_at', '>=', since)
      .where('prompt_mark', 'is not', null)
      .where(kind);
  const rows = await marks(sql`kind = 'chat' and listed = 1`)
    .unionAll(marks(sql`kind = 'chat' and listed = 0`))
    .unionAll(marks(sql`kind = 'agent'`))
    .orderBy('updated_at')
    .execute();
  return rows.flatMap((row) => (row.prompt_mark === null ? [] : [parseStored(row.prompt_mark)]));
}
