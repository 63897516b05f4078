// Statements that SQLite prepares once.
import { SqliteQueryCompiler } from 'kysely';

/**
 * Values go in as `+?`. SQLite prepares a statement anew at each run where the value of a bare `?` might change its plan
 * (https://sqlite.org/c3ref/prepare.html, SQLITE_STMTSTATUS_REPREPARE), and takes any comparison with a column or an
 * `order by` beside one for such a case: that costs several times what the statement itself does. The plus says nothing
 * but hides the value from the planner. A partial index that is to be used is therefore asked for by `sql.lit`.
 */
export class PreparedOnceCompiler extends SqliteQueryCompiler {
  protected override getCurrentParameterPlaceholder(): string {
    return '+?';
  }
}
