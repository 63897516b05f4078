// What every scenario is given.

import type { ServerKind } from './processes.ts';

export interface BenchOptions {
  readonly server: ServerKind;
  /** Fewer rounds and smaller databases: to see that it works, not to quote. */
  readonly isQuick: boolean;
  /** Says what is going on. */
  readonly say: (text: string) => void;
}
