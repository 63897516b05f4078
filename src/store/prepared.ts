// Queries of the path of every turn: kysely builds and compiles them once, and only their values change. Building a
// query costs several times what SQLite takes to answer it.
import type { Compilable, CompiledQuery, QueryResult } from 'kysely';
import type { Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';

/** Stands for a value while its query is built. */
class Placeholder {
  readonly key: string;

  constructor(key: string) {
    this.key = key;
  }
}

/** The text for one set of keys. */
interface Shape<Row> {
  readonly keys: readonly string[];
  readonly query: CompiledQuery<Row>;
}

/**
 * @param build makes the query, once for each set of keys that it is asked with: it may see which values there are,
 *   and puts them into the query, but sees none of them; `undefined` is no value
 * @returns the query as a function of its values
 */
export function prepared<Values extends object, Row>(
  build: (db: Db, values: Values) => Compilable<Row>,
): (db: Db, values: Values) => Promise<QueryResult<Row>> {
  /** A text of one database says nothing to another. */
  const shapes = { sqlite: [] as Shape<Row>[], postgres: [] as Shape<Row>[] };
  const compile = (db: Db, keys: readonly string[]) => {
    const placeholders = Object.fromEntries(keys.map((key) => [key, new Placeholder(key)]));
    // Kysely takes any object for a value, and so does the code that builds: it passes them on.
    return build(db, placeholders as Values).compile();
  };
  return (db, values) => {
    const known = shapes[dialectOf(db).name];
    const given = values as Readonly<Record<string, unknown>>;
    let shape = known.find(({ keys }) => areGiven(keys, given));
    if (shape === undefined) {
      const keys = Object.keys(given).filter((key) => given[key] !== undefined);
      shape = { keys, query: compile(db, keys) };
      known.push(shape);
    }
    const { query, queryId, sql, parameters } = shape.query;
    return db.executeQuery({
      query,
      queryId,
      sql,
      parameters: parameters.map((parameter) =>
        parameter instanceof Placeholder ? given[parameter.key] : parameter,
      ),
    });
  };
}

/** These, in this order, and no others. */
function areGiven(keys: readonly string[], values: Readonly<Record<string, unknown>>): boolean {
  let at = 0;
  for (const key in values) {
    if (values[key] === undefined) continue;
    if (keys[at] !== key) return false;
    at += 1;
  }
  return at === keys.length;
}
