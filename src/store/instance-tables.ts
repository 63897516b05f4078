// What several servers on one database know of each other. PostgreSQL alone has these tables and columns: no query that
// SQLite is asked may name them.
import type { Generated } from 'kysely';

export interface InstanceTables {
  instances: InstanceTable;
}

interface InstanceTable {
  id: string;
  /** The machine it runs on. */
  host: string;
  /** Where other instances reach it; null: nowhere. */
  url: string | null;
  version: string;
  /** Of what instances say to each other. */
  protocol: number;
  state: 'up' | 'draining';
  started_at: Generated<Date>;
  /** Unless it is renewed before, others take its turns then. */
  lease_until: Date;
}

/** Of a turn. */
export interface OwnedColumns {
  /** Order of creation. */
  seq: Generated<number>;
  /** The instance that drives it, or in whose line it stands; null: nobody's, as every one that has ended. */
  owner: Generated<string | null>;
  /** Another one whenever it changes hands. */
  epoch: Generated<number>;
  /** In the line of its session: the higher goes first, whenever it came. */
  rank: Generated<number>;
  /** When somebody wanted it cancelled, whoever drives it. */
  cancel_at: Generated<Date | null>;
  cancel_reason: Generated<string | null>;
}

/** Of a job in the background. */
export interface ClaimColumns {
  /** The instance that is at it. */
  claimed_by: Generated<string | null>;
  claimed_until: Generated<Date | null>;
}
