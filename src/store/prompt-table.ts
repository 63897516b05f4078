// System prompt files as rows.
import { sql } from 'kysely';
import type { Db } from './database.ts';
import type { PromptFiles } from './prompt-files.ts';

export function promptsInTable(db: Db): PromptFiles {
  return {
    async list() {
      const rows = await db.selectFrom('prompt_files').select('filename').orderBy('filename').execute();
      return rows.map(({ filename }) => filename);
    },
    async read(entry) {
      const row = await db
        .selectFrom('prompt_files')
        .select('content')
        .where('filename', '=', entry)
        .executeTakeFirst();
      return row?.content ?? null;
    },
    change: (action) =>
      db.transaction().execute(async (transaction) => {
        // Other servers wait here; whoever reads does not.
        await sql`lock table prompt_files in share row exclusive mode`.execute(transaction);
        return action(promptsInTable(transaction));
      }),
    async create(filename, content) {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('prompt_files')
        .values({ filename, content })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return numInsertedOrUpdatedRows === 1n;
    },
    async replace(filename, content) {
      await db.updateTable('prompt_files').set({ content }).where('filename', '=', filename).execute();
    },
    async remove(filename) {
      await db.deleteFrom('prompt_files').where('filename', '=', filename).execute();
    },
  };
}
