// What every scenario is given.

import type { ServerKind } from './processes.ts';

export interface BenchOptions {
  readonly server: ServerKind;
  /** Fewer rounds and smaller databases: to see that it works, not to quote. */
  readonly isQuick: boolean;
  /** How long (f) and (g) measure; null: as long as they usually do. */
  readonly seconds: number | null;
  /** How many streams (f) opens, level by level; null: as many as it usually does. */
  readonly streams: readonly number[] | null;
  /** What (g) repeats; null: something new. */
  readonly seed: number | null;
  /** The commit that (r) compares with; null: none. */
  readonly against: string | null;
  /** Says what is going on. */
  readonly say: (text: string) => void;
}
