// A server on a database that others may use, too: it says that it is there, goes on with what others have left, and hears
// what they have changed.
import { hostname } from 'node:os';
import type { Approvals } from '../approvals/approvals.ts';
import { outdated } from '../chat/intake.ts';
import type { SharedSlots } from '../chat/line/shared-slots.ts';
import type { LiveTurns } from '../chat/live-turns.ts';
import { retire } from '../chat/retire.ts';
import { stopWanted } from '../chat/stop-all.ts';
import { takeOver } from '../chat/take-over.ts';
import { takeUpTurns } from '../chat/take-up-turns.ts';
import { UndrivenTurns } from '../chat/undriven-turns.ts';
import { Instance } from '../cluster/instance.ts';
import { LEASE_TIMES, type LeaseTimes } from '../cluster/lease-times.ts';
import { PROTOCOL } from '../cluster/peer.ts';
import type { Config } from '../config.ts';
import type { ServerEvents } from '../events/server-events.ts';
import type { Log } from '../kit/log.ts';
import { isLoopbackHost } from '../kit/loopback.ts';
import type { Db } from '../store/database.ts';
import type { Notice } from '../store/dialect/postgres/reach.ts';
import { SLOT_CHANNEL } from '../store/engine-slots.ts';
import { presenceOf } from '../store/instances.ts';
import type { ServedStore } from '../store/served-store.ts';
import { CHANGES_CHANNEL, readOthers } from '../store/shared-changes.ts';
import { LINE_CHANNEL } from '../store/shared-line.ts';
import { WINDOW_CHANNEL } from '../store/told-windows.ts';
import { CANCEL_CHANNEL, nameAddress } from '../store/turn-owners.ts';
import { VERSION } from '../version.ts';
import { hearWindow } from './share-windows.ts';

interface Joining {
  readonly store: ServedStore;
  readonly log: Log;
  readonly turns: LiveTurns;
  readonly events: ServerEvents;
  readonly approvals: Approvals;
  /** Null: each server learns for itself how much it may ask of the engine. */
  readonly engineSlots: SharedSlots | null;
  /** Names this run of the server. */
  readonly bootId: string;
  readonly config: Pick<Config, 'host' | 'instanceUrl' | 'ollamaHost'>;
  /** Missing: the usual ones. */
  readonly lease?: LeaseTimes | undefined;
}

export interface Presence {
  /** Before it serves: goes on with what was left. */
  start(): Promise<void>;
  /** It serves at this address. @returns that */
  serves(url: string): Promise<string>;
  close(): Promise<void>;
}

/** Where nobody else can use the database, what was left is its own. */
export function createPresence(joining: Joining): Presence {
  const { store, log, turns, bootId, config, engineSlots, lease = LEASE_TIMES } = joining;
  const { db, keep } = store;
  const { house } = turns;
  if (keep === null) {
    return {
      start: async () => void (await takeUpTurns(house, null)),
      serves: async (url) => url,
      close: async () => undefined,
    };
  }
  let hasEntered = false;
  const stopAsked = () => {
    stopWanted(house).catch((error: unknown) => {
      log.warn({ err: error }, 'it could not be read which turns others want cancelled: it is tried again');
    });
  };
  const heard = (notice: Notice | null) => hear(joining, stopAsked, notice);
  // With its address from when it serves on: it is entered again after it was away for too long.
  const row = {
    id: bootId,
    host: hostname(),
    url: config.instanceUrl,
    version: VERSION,
    protocol: PROTOCOL,
  };
  const address = teller({ db, log }, bootId);
  const undriven = new UndrivenTurns(house);
  const instance = new Instance({
    db,
    log,
    times: lease,
    row,
    takeUp: (taken) => takeOver(house, taken),
    renewed() {
      stopAsked();
      void address.say();
    },
    isTooOld: (minVersion) => {
      void retire(house, turns.intake, outdated(VERSION, minVersion)).then((isNew) => {
        if (isNew)
          log.error({ min_version: minVersion }, 'this server is too old for its database: update it');
      });
    },
    loseTurns: () => {
      for (const live of house.registry.running) if (!live.isPassing) live.lose();
      engineSlots?.giveUpSpare();
    },
    enteredAgain: () => engineSlots?.recall(),
    noteLease: (hasLease) => turns.intake.noteLease(hasLease),
    findUndriven: () => undriven.find(),
  });
  return {
    async start() {
      const channels = [LINE_CHANNEL, CANCEL_CHANNEL, CHANGES_CHANNEL, WINDOW_CHANNEL, SLOT_CHANNEL];
      await keep([...channels.map((channel) => `listen ${channel}`), presenceOf(bootId)], heard);
      hasEntered = true;
      await instance.start();
    },
    async serves(url) {
      if (config.instanceUrl !== null) return url;
      // Others on this machine reach it there.
      if (isLoopbackHost(config.host)) {
        row.url = url;
        await address.serveAt(url);
      } else {
        log.warn(
          'MOCHI_INSTANCE_URL is not set: whoever watches a turn of this server at another one sees it once a second',
        );
      }
      return url;
    },
    async close() {
      engineSlots?.close();
      if (hasEntered) await instance.close();
    },
  };
}

/** Says where others reach this server, and says it again whenever it is asked, until the database has heard it. */
function teller({ db, log }: { readonly db: Db; readonly log: Log }, bootId: string) {
  let unheard: string | null = null;
  /** Never throws. */
  const say = async (): Promise<void> => {
    if (unheard === null) return;
    try {
      await nameAddress(db, bootId, unheard);
      unheard = null;
    } catch (error) {
      log.warn({ err: error }, 'the address of this server could not be written: it is tried again');
    }
  };
  return {
    say,
    async serveAt(url: string): Promise<void> {
      unheard = url;
      await say();
    },
  };
}

/** @param notice of another server; null: some may have been missed */
function hear(joining: Joining, stopAsked: () => void, notice: Notice | null): void {
  const { turns, engineSlots, config } = joining;
  const { deps } = turns.house;
  switch (notice?.channel) {
    case WINDOW_CHANNEL:
      return hearWindow(deps.modelWindows, config.ollamaHost, notice.payload);
    case SLOT_CHANNEL:
      return engineSlots?.hear(notice.payload);
    case undefined:
      engineSlots?.recall();
  }
  if (notice?.channel !== CANCEL_CHANNEL) deps.lineBell.ring();
  if (notice === null || notice.channel === CANCEL_CHANNEL) stopAsked();
  hearChanges(joining, notice);
}

function hearChanges({ store, events, approvals }: Joining, notice: Notice | null): void {
  if (notice === null) {
    events.noteUnknown();
    approvals.look();
  } else if (notice.channel === CHANGES_CHANNEL) {
    const changes = readOthers(store.db, notice.payload);
    if (changes.length > 0) events.noteStore(changes);
    if (changes.some(({ kind }) => kind === 'approval')) approvals.look();
  }
}
