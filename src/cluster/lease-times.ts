// How long a server on a shared database may be away before others take its turns. In milliseconds.
export interface LeaseTimes {
  /** How often it is renewed, and looked whether others have left something. */
  readonly beatMs: number;
  /** How long it holds without that. */
  readonly leaseMs: number;
  /** Who could not renew it for so long stops what it does: before anybody may take it. */
  readonly stopMs: number;
}

export const LEASE_TIMES: LeaseTimes = { beatMs: 5000, leaseMs: 30_000, stopMs: 20_000 };
