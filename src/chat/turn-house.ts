// What turns live in: who starts one, or takes one up, needs all of it.
import type { CallDeps } from './call-in-line.ts';
import type { Place, TurnLines } from './line/place.ts';
import type { TurnSeat } from './line/turn-seat.ts';
import type { RunAgent } from './step/turn-progress.ts';
import type { TurnRegistry } from './watch/turn-registry.ts';

export interface TurnHouse {
  readonly deps: CallDeps;
  readonly lines: TurnLines;
  readonly registry: TurnRegistry;
  /** For a turn that waits since an earlier run of the server, and has none yet. */
  readonly seatAt: (place: Place) => TurnSeat;
  /** For a turn that begins here. */
  readonly runAgent: RunAgent;
}
