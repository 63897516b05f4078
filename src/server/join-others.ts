// A server on a database that others may use, too: it says that it is there, goes on with what others have left, and hears
// what they have changed.
import { hostname } from 'node:os';
import type { LiveTurns } from '../chat/live-turns.ts';
import { takeOver } from '../chat/take-over.ts';
import { Instance, LEASE_TIMES, type LeaseTimes } from '../cluster/instance.ts';
import type { Log } from '../kit/log.ts';
import { presenceOf } from '../store/instances.ts';
import type { ServedStore } from '../store/served-store.ts';
import { LINE_CHANNEL } from '../store/shared-line.ts';
import { VERSION } from '../version.ts';

/** Of what instances say to each other. */
const PROTOCOL = 1;

interface Joining {
  readonly store: ServedStore;
  readonly log: Log;
  readonly turns: LiveTurns;
  /** Names this run of the server. */
  readonly bootId: string;
  /** Missing: the usual ones. */
  readonly lease?: LeaseTimes | undefined;
}

export interface Presence {
  /** Before it serves: goes on with what was left. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Where nobody else can use the database, what was left is its own. */
export function createPresence({ store, log, turns, bootId, lease = LEASE_TIMES }: Joining): Presence {
  const { db, keep } = store;
  if (keep === null) return { start: async () => void (await turns.takeUp()), close: async () => undefined };
  const { house } = turns;
  let hasEntered = false;
  const instance = new Instance({
    db,
    log,
    times: lease,
    row: { id: bootId, host: hostname(), url: null, version: VERSION, protocol: PROTOCOL },
    takeUp: (taken) => takeOver(house, taken),
    loseTurns: () => {
      for (const live of house.registry.running) if (!live.isPassing) live.lose();
    },
  });
  return {
    async start() {
      await keep([`listen ${LINE_CHANNEL}`, presenceOf(bootId)], () => house.deps.lineBell.ring());
      hasEntered = true;
      await instance.start();
    },
    close: async () => (hasEntered ? instance.close() : undefined),
  };
}
