/** Which database of PostgreSQL is opened, and how. */
export interface PostgresOptions {
  /** `postgres://…`, with its password. */
  readonly url: string;
  /** Connections at most. */
  readonly pool: number;
}
