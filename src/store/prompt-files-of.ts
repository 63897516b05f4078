// Where system prompt files are: in a folder with SQLite, in a table of PostgreSQL, which its servers share.
import type { Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import type { PromptFiles } from './prompt-files.ts';
import { promptsInFolder } from './prompt-folder.ts';
import { promptsInTable } from './prompt-table.ts';

/** @param folder absolute; with PostgreSQL it is not looked at */
export function promptFilesOf(db: Db, folder: string): PromptFiles {
  return dialectOf(db).name === 'postgres' ? promptsInTable(db) : promptsInFolder(folder);
}
