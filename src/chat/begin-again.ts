// A turn of which nobody has seen anything yet goes on in another process, as if it had been asked for there: in its
// place in line, or with the message that is on the path already.
import { requireSession } from '../sessions/require.ts';
import { findMessage } from '../store/messages.ts';
import type { PathPlace } from '../store/path-place.ts';
import type { StoredSession } from '../store/sessions.ts';
import type { LeftTurn } from '../store/taken-turns.ts';
import { changeTurn, type Tenure } from '../store/tenure.ts';
import { noteLastEvent } from '../store/turns.ts';
import { type AskedSettings, toBegunRequest, toQueuedRequest } from './asked-settings.ts';
import { type Beginning, findTip } from './begin-turn.ts';
import { recallModel } from './check-request.ts';
import { driveTurn, untilPlace } from './drive-turn.ts';
import { queuedEvent } from './opening-events.ts';
import { EVENT_GAP } from './recover-turns.ts';
import { findReplaced, questionOf } from './replaced-message.ts';
import { startChat } from './start-chat.ts';
import type { TurnDeps } from './turn-deps.ts';
import type { TurnHouse } from './turn-house.ts';
import type { TurnRequest } from './turn-request.ts';
import { emptyFold } from './watch/fold-turn.ts';
import { LiveTurn } from './watch/live-turn.ts';

interface Left {
  readonly turn: LeftTurn;
  readonly settings: AskedSettings;
  readonly tenure: Tenure;
}

/** @throws TurnLost; what the store throws */
export async function beginAgain(house: TurnHouse, { turn, settings, tenure }: Left): Promise<void> {
  const { deps, lines, registry } = house;
  const { turnId, sessionId, createdAt, state, message, userMessageId } = turn;
  // Beyond all that was told since the last one was noted.
  const lastEventId = turn.lastEventId + EVENT_GAP;
  await changeTurn(deps.db, { turnId, sessionId, tenure }, (db) => noteLastEvent(db, turnId, lastEventId));
  const fold = { ...emptyFold(), sessionId, state, userMessageId };
  const live = new LiveTurn({ turnId, sessionId, createdAt, start: { lastEventId, fold } });
  live.tenure = tenure;
  const isQueued = state === 'queued';
  const place = lines.enter(sessionId, turnId, {
    onMove: (position, isForPerson) => {
      if (!live.signal.aborted) live.append([queuedEvent(position, isForPerson)]);
    },
  });
  const seat = house.seatAt(place);
  const request = isQueued ? toQueuedRequest(settings, message) : toBegunRequest(settings);
  const begin = async () => {
    const session = await requireSession(deps.db, sessionId);
    const model = await recallModel(deps, session.model);
    const beginning = isQueued ? null : await beginningOf(deps, turn, session, request);
    if (!isQueued) await untilPlace(live, place);
    const asked = { live, request, place, seat, model, run: null, beginning };
    return startChat(house, { ...asked, message: isQueued ? message : null });
  };
  // The engine is its own from here on; its slot comes with its place.
  void seat.take();
  const driven = { live, message: isQueued ? message : null, place, begun: begin() };
  registry.add(live, driveTurn(deps, driven), seat);
}

/** Where it stands whose message is on the path already. */
async function beginningOf(
  { db }: TurnDeps,
  { sessionId, userMessageId }: LeftTurn,
  session: StoredSession,
  request: TurnRequest,
): Promise<Beginning> {
  return { session, userMessageId, headBefore: null, tip: await tipOf() };

  async function tipOf(): Promise<PathPlace> {
    const own = userMessageId === null ? null : await findMessage(db, sessionId, userMessageId);
    if (own !== null) return { id: own.message_id, depth: own.depth, at: own.timestamp };
    const old = await findReplaced(db, sessionId, request);
    return old === null ? findTip(db, session, request.mode) : questionOf(sessionId, old);
  }
}
