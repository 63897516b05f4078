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

/**
 * @param build makes the query, once for each set of keys that it is asked with: it may see which values there are,
 *   and puts them into the query, but sees none of them; `undefined` is no value
 * @returns the query as a function of its values
 */
export function prepared<Values extends object, Row>(
  build: (db: Db, values: Values) => Compilable<Row>,
): (db: Db, values: Values) => Promise<QueryResult<Row>> {
  /** A text of one database says nothing to another. */
  const texts = {
    sqlite: new Map<string, CompiledQuery<Row>>(),
    postgres: new Map<string, CompiledQuery<Row>>(),
  };
  const compile = (db: Db, given: ReadonlyMap<string, unknown>) => {
    const placeholders = Object.fromEntries(Array.from(given.keys(), (key) => [key, new Placeholder(key)]));
    // Kysely takes any object for a value, and so does the code that builds: it passes them on.
    return build(db, placeholders as Values).compile();
  };
  return (db, values) => {
    const given = new Map<string, unknown>(Object.entries(values).filter(([, value]) => value !== undefined));
    const shape = [...given.keys()].join();
    const compiled = texts[dialectOf(db).name];
    const query = compiled.get(shape) ?? compile(db, given);
    compiled.set(shape, query);
    const parameters = query.parameters.map((parameter) =>
      parameter instanceof Placeholder ? given.get(parameter.key) : parameter,
    );
    return db.executeQuery({ ...query, parameters });
  };
}
