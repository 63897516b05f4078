// A turn without rows: the same line, plan and model call as any other, and nothing of it on disk.
import { checkWithModel } from './check-request.ts';
import { untilPlace } from './drive-turn.ts';
import type { Hold } from './line/turn-seat.ts';
import { queuedEvent } from './opening-events.ts';
import { passAnswer } from './passing-answer.ts';
import type { PassingRequest } from './passing-request.ts';
import { checkGiven } from './prompt/given-prompt.ts';
import { NO_SESSION, readPassing, requireChat } from './read-passing.ts';
import { doneEvent, stateAfter, toTurnFailure } from './run-turn.ts';
import { requireTools, requireVision } from './step/renew-model.ts';
import type { RunningTurn } from './step/turn-progress.ts';
import { wordForPassing } from './stop-reasons.ts';
import type { TurnHouse } from './turn-house.ts';
import { LiveTurn, type WatchableTurn } from './watch/live-turn.ts';

/**
 * Accepts it: it lives in memory for as long as it is answered.
 * @throws MochiError for what is known before: too long, too busy, no such tool, what the model cannot do
 */
export async function passTurn(house: TurnHouse, given: PassingRequest, hold: Hold): Promise<WatchableTurn> {
  const { deps, lines, registry } = house;
  const asked = await readPassing(deps, given);
  const { offer, session, request } = asked;
  const model = await checkWithModel(deps, given.model, async (known) => {
    requireChat(known);
    requireVision(request, known, given.model);
    if (offer.forced === undefined && offer.tools.length > 0) requireTools(request, known, given.model);
    checkGiven(deps, { ...asked, model: known }, given);
  });
  const { created_at: createdAt } = session;
  const live = new LiveTurn({ turnId: `turn_${deps.newId(12)}`, sessionId: NO_SESSION, createdAt });
  const place = lines.enter(`passing ${live.turnId}`, live.turnId, {
    onMove: (position) => {
      if (live.lastEventId > 0 && !live.signal.aborted) live.append([queuedEvent(position, false)]);
    },
  });
  const tip = { id: '', depth: given.messages.length - 1 };
  const turn: RunningTurn = {
    live,
    session,
    model,
    request,
    given,
    tip,
    ownsTip: false,
    headBefore: null,
    seat: house.seatAt(place),
    person: { sessionId: NO_SESSION },
    parent: null,
    runAgent: null,
  };
  const data = { turn_id: live.turnId, session_id: NO_SESSION, user_message_id: null };
  live.append([{ event: 'turn_start', data }]);
  if (!place.isReady) live.append([queuedEvent(place.position, false)]);
  const finished = drive(house, turn, { offer, begin: () => untilPlace(live, place) }).finally(() => {
    place.leave();
    hold.release();
  });
  registry.addPassing(live, finished);
  return live;
}

/** Runs it to its end, whoever watches; never throws. */
async function drive(
  { deps }: TurnHouse,
  turn: RunningTurn,
  { offer, begin }: { readonly offer: Parameters<typeof passAnswer>[2]; readonly begin: () => Promise<void> },
): Promise<void> {
  const { live } = turn;
  try {
    await begin();
    await passAnswer(deps, turn, offer);
    live.append([doneEvent(live, 'completed')]);
  } catch (error) {
    const failure = wordForPassing(toTurnFailure(deps, live, error));
    const { code, message, details } = failure.toBody();
    const data = { code, message, details: { ...details, turn_id: live.turnId } };
    live.append([{ event: 'error', data }, doneEvent(live, stateAfter(failure))]);
  }
  live.finish();
}
