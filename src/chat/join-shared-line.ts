// A new turn joins the line of its session among all servers that share the database, as its request wants to.
import type { Db } from '../store/database.ts';
import { sessionBusy } from '../store/session-busy.ts';
import { type LinedTurn, readSharedLine } from '../store/shared-line.ts';
import { wantCancelled } from '../store/turn-owners.ts';
import type { Place } from './line/place.ts';
import { refuseWhenFull } from './line/refuse-when-full.ts';
import type { TurnRequest } from './turn-request.ts';
import type { LiveTurn } from './watch/live-turn.ts';

interface Joining {
  readonly live: LiveTurn;
  readonly request: Pick<TurnRequest, 'onBusy'>;
  readonly place: Place;
}

interface SharedPlace {
  /** A turn of another server is before it. */
  readonly isBehind: boolean;
  /** Turns before it, wherever they are. */
  readonly before: number;
  /** The higher goes first. */
  readonly rank: number;
}

/**
 * Inside of the transaction that accepts it, which holds the session.
 * @throws MochiError session_busy
 */
export async function joinSharedLine(db: Db, { live, request, place }: Joining): Promise<SharedPlace> {
  const line = await readSharedLine(db, live.sessionId);
  const first = line?.[0];
  if (line == null || first === undefined) return { isBehind: false, before: 0, rank: 0 };
  const rank = place.isAtFront || request.onBusy === 'interrupt' ? highest(line) + 1 : 0;
  const before = line.filter((other) => other.state !== 'queued' || other.rank >= rank).length;
  if (line.every(({ isMine }) => isMine)) return { isBehind: false, before, rank };
  await meetOthers(db, live.sessionId, { line, first, wanted: request.onBusy });
  return { isBehind: true, before, rank };
}

async function meetOthers(
  db: Db,
  sessionId: string,
  {
    line,
    first,
    wanted,
  }: {
    readonly line: readonly LinedTurn[];
    readonly first: LinedTurn;
    readonly wanted: TurnRequest['onBusy'];
  },
): Promise<void> {
  if (wanted === 'reject') throw sessionBusy(sessionId, first.id, first.state === 'waiting');
  const entries = line.map(({ id: turnId }) => ({ turnId, takesSlot: true }));
  refuseWhenFull(sessionId, entries, { isFull: false, queued: 0, atFront: wanted === 'interrupt' });
  if (wanted === 'interrupt' && !first.isMine && first.state !== 'queued')
    await wantCancelled(db, first.id, 'interrupt');
}

function highest(line: readonly LinedTurn[]): number {
  return Math.max(0, ...line.map(({ rank }) => rank));
}
