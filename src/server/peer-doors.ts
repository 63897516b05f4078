// How the servers on one database know each other: where each is reached, and what it shows.
import { hostname } from 'node:os';
import type { OtherTurnDoors } from '../chat/watch/other-turns.ts';
import type { ToldEvent } from '../chat/watch/turn-log.ts';
import { followPeer, PROTOCOL, PROTOCOL_HEADER, SIGN_MS } from '../cluster/peer.ts';
import type { PeerDoor } from '../http/app-deps.ts';
import { createStreamTokens, type StreamTokens } from '../http/stream-token.ts';
import { isLoopbackHost } from '../kit/loopback.ts';
import type { ServedStore } from '../store/served-store.ts';
import { findOtherOwner, readClusterSecret, type TurnOwner } from '../store/turn-owners.ts';

export interface PeerDoors {
  /** What others are let in by; null: nobody else can use the database. */
  readonly peers: PeerDoor | null;
  readonly followElsewhere: OtherTurnDoors['follow'];
  /** A token of one opens the stream at each. */
  readonly streamTokens: StreamTokens;
}

export function createPeerDoors({ db, keep }: Pick<ServedStore, 'db' | 'keep'>): PeerDoors {
  let known: Promise<string> | null = null;
  const secret = () => {
    known ??= readClusterSecret(db);
    known.catch(() => {
      known = null;
    });
    return known;
  };
  return {
    peers:
      keep === null ? null : { secret, protocol: PROTOCOL, protocolHeader: PROTOCOL_HEADER, signMs: SIGN_MS },
    streamTokens: createStreamTokens(keep === null ? null : secret),
    async *followElsewhere(turnId, signal) {
      const owner = await findOtherOwner(db, turnId);
      const url = owner && addressOf(owner);
      if (url == null) throw new Error('Nobody who can be reached drives the turn.');
      const peer = { url, secret: await secret() };
      // What this version says itself.
      yield* followPeer(peer, { turnId, after: 0, signal }) as AsyncGenerator<readonly ToldEvent[]>;
    },
  };
}

/** Null: it cannot be reached from here, or says what this version does not know. */
function addressOf({ url, host, protocol }: TurnOwner): string | null {
  if (url === null || protocol > PROTOCOL) return null;
  return isLoopbackHost(new URL(url).hostname) && host !== hostname() ? null : url;
}
