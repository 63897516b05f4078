// Counts what the store asks of SQLite in this process: statements as they are run, those of triggers not among them.
import SqliteDriver from 'better-sqlite3';

let counted: string[] | null = null;

type Run = (...parameters: unknown[]) => unknown;

const prepare = SqliteDriver.prototype.prepare as (this: SqliteDriver.Database, source: string) => object;
SqliteDriver.prototype.prepare = function prepareCounted(this: SqliteDriver.Database, source: string) {
  const statement = prepare.call(this, source) as Record<'run' | 'all' | 'get' | 'iterate', Run>;
  for (const way of ['run', 'all', 'get', 'iterate'] as const) {
    const own = statement[way].bind(statement);
    statement[way] = (...parameters) => {
      counted?.push(source.replaceAll(/\s+/g, ' '));
      return own(...parameters);
    };
  }
  return statement;
} as typeof SqliteDriver.prototype.prepare;

/**
 * @param action is given those that ran so far
 * @returns the statements that ran meanwhile, in their order
 */
export async function countStatements(
  action: (soFar: readonly string[]) => Promise<void>,
): Promise<readonly string[]> {
  const statements: string[] = [];
  counted = statements;
  try {
    await action(statements);
    return statements;
  } finally {
    counted = null;
  }
}
