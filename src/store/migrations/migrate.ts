// Brings a database up to date.
import { Migrator } from 'kysely/migration';
import type { Db } from '../database.ts';
import { raiseMinVersion } from '../min-version.ts';
import { MIGRATIONS } from './migrations.ts';

export async function migrate(db: Db): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
  await raiseMinVersion(db);
}
