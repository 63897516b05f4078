// Turns that another server has left, which are this one's from now on: those that wait for a person wait on, those of
// which nothing was seen begin again, those in line stand in line here, and the others have ended with what is there.
import type { MochiError } from '../contract/errors.ts';
import type { TakenTurn } from '../store/instances.ts';
import { closeLeftHandRuns } from '../store/lost-executions.ts';
import { readSharedLine } from '../store/shared-line.ts';
import { type LeftTurn, listLeftTurns } from '../store/taken-turns.ts';
import { TurnLost } from '../store/tenure.ts';
import { listUnfinishedTurns } from '../store/turns.ts';
import { askOutcomes } from './ask-outcomes.ts';
import { type AskedSettings, readAskedSettings } from './asked-settings.ts';
import { beginAgain } from './begin-again.ts';
import { closeInterrupted, EVENT_GAP, isLeftAlone, placeLeftMessages, runsFirst } from './recover-turns.ts';
import { cutRuns } from './step/answer-open-calls.ts';
import { stopReason } from './stop-reasons.ts';
import { takeUpTurns } from './take-up-turns.ts';
import type { TurnHouse } from './turn-house.ts';

/** @returns those that could not be taken up now; never throws */
export async function takeOver(house: TurnHouse, taken: readonly TakenTurn[]): Promise<readonly TakenTurn[]> {
  const { db, log } = house.deps;
  const here = new Map(house.registry.running.map((live) => [live.turnId, live]));
  // It had them itself, and has not let go of them yet.
  if (taken.some(({ turnId }) => here.get(turnId)?.isLost)) return taken;
  // Some may go on since an earlier try.
  const others = taken.filter(({ turnId }) => !here.has(turnId));
  const tenures = new Map(others.map(({ turnId, tenure }) => [turnId, tenure]));
  try {
    await askOutcomes(house.deps, EVENT_GAP, tenures);
    const left = await listLeftTurns(db, [...tenures.keys()]);
    await closeBegun(house, left, tenures);
    await takeUpTurns(house, tenures);
    for (const turn of left) {
      const settings = toBegin(house, turn);
      const tenure = tenures.get(turn.turnId);
      if (settings !== null && tenure !== undefined) await beginAgain(house, { turn, settings, tenure });
    }
    await placeLeftMessages(house.deps);
    await closeLeftHandRuns(db, { ...cutRuns('the server stopped'), finishedAt: house.deps.now() });
    return [];
  } catch (error) {
    log.error({ err: error }, 'turns that were taken could not be taken up: it is tried again');
    return taken;
  }
}

/** With what one is begun that nobody has seen anything of; null: it cannot. */
function toBegin({ registry }: TurnHouse, turn: LeftTurn): AskedSettings | null {
  const { turnId, state, messageId, isRun, settings, wanted } = turn;
  // Of one that ended here its watchers were told the end, which could not be stored.
  const isTold = registry.find(turnId) !== null;
  const isUnseen = !isTold && (state === 'queued' || (state === 'running' && messageId === null));
  return isUnseen && !isRun && wanted === null ? readAskedSettings(settings) : null;
}

async function closeBegun(
  house: TurnHouse,
  left: readonly LeftTurn[],
  tenures: ReadonlyMap<string, TakenTurn['tenure']>,
): Promise<void> {
  const ended = new Set(left.filter((turn) => toBegin(house, turn) === null).map(({ turnId }) => turnId));
  const { deps } = house;
  const all = await listUnfinishedTurns(deps.db);
  const turns = all.filter(
    (turn) => ended.has(turn.id) && (turn.state !== 'waiting' || isLeftAlone(turn, all)),
  );
  for (const turn of runsFirst(turns)) {
    const line = (await readSharedLine(deps.db, turn.sessionId)) ?? [];
    const isBehind = turn.state === 'queued' && line.length > 1;
    const tenure = tenures.get(turn.id) ?? null;
    const wanted = whyWanted(left, turn.id);
    await closeInterrupted(deps, turn, { isBehind, tenure, wanted }).catch((error: unknown) => {
      if (!(error instanceof TurnLost)) throw error;
    });
  }
}

/** A wish that its server has not heard of any more; that for a turn counts for the agents that it has started. */
function whyWanted(left: readonly LeftTurn[], turnId: string): MochiError | null {
  const turn = left.find((one) => one.turnId === turnId);
  if (turn === undefined) return null;
  const { wanted, sessionId, parentTurnId } = turn;
  if (wanted !== null) return stopReason(wanted, sessionId);
  return parentTurnId === null ? null : whyWanted(left, parentTurnId);
}
