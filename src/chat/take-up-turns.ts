// Turns of earlier runs of the server that wait for a person: they wait on, in their place.
import { listOpenMessages, noteLastEvent } from '../store/turns.ts';
import { listWaitingTurns, type WaitingTurn } from '../store/waiting-turns.ts';
import type { CallDeps } from './call-in-line.ts';
import { driveTurn } from './drive-turn.ts';
import { keepMessage } from './keep-message.ts';
import type { Place, TurnLines } from './line/turn-lines.ts';
import type { TurnSeat } from './line/turn-seat.ts';
import { EVENT_GAP } from './recover-turns.ts';
import { foldWaiting, resumeTurn } from './resume-turn.ts';
import { LiveTurn } from './watch/live-turn.ts';
import type { TurnRegistry } from './watch/turn-registry.ts';

export interface TurnHouse {
  readonly deps: CallDeps;
  readonly lines: TurnLines;
  readonly registry: TurnRegistry;
  /** For a turn that has none yet. */
  readonly seatAt: (place: Place) => TurnSeat;
}

/** Before the port opens. @returns how many there are */
export async function takeUpTurns(house: TurnHouse): Promise<number> {
  const waiting = await listWaitingTurns(house.deps.db);
  for (const turn of waiting) await takeUp(house, turn);
  return waiting.length;
}

/** Its place is the first of its session; the messages of those that had stood behind it come after it. */
async function takeUp({ deps, lines, registry, seatAt }: TurnHouse, waiting: WaitingTurn): Promise<void> {
  const { turn_id: turnId, session_id: sessionId, created_at: createdAt, last_event_id } = waiting.turn;
  // Beyond all that was told since the last one was noted.
  const lastEventId = last_event_id + EVENT_GAP;
  await noteLastEvent(deps.db, turnId, lastEventId);
  const start = { lastEventId, fold: await foldWaiting(deps, waiting) };
  const live = new LiveTurn({ turnId, sessionId, createdAt, start });
  live.isWaiting = true;
  const place = lines.enterPaused(sessionId, turnId);
  const seat = seatAt(place);
  const begin = () => resumeTurn(deps, waiting, { live, seat });
  const finished = driveTurn(deps, { live, message: null, place, begin });
  registry.add(
    live,
    finished.then(() => seat.release()),
  );
  for (const open of await listOpenMessages(deps.db, sessionId)) {
    const behind = lines.enterChange(sessionId);
    void keepMessage(deps, behind, open).then(() => behind.leave());
  }
}
