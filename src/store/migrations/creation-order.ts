// SQLite numbers the rows of every table as they are made; elsewhere a column does.
import type { CreateTableBuilder, Kysely } from 'kysely';
import { dialectOf } from '../dialect/dialect-of.ts';

export function withOrder<Name extends string>(
  db: Kysely<unknown>,
  table: CreateTableBuilder<Name>,
): CreateTableBuilder<Name> {
  if (dialectOf(db).name === 'sqlite') return table;
  return table.addColumn('seq', 'integer', (column) => column.notNull().autoIncrement().unique());
}
