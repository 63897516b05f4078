// Turns of earlier runs of the server that wait for a person: they wait on, in their place.
import type { RunParent } from '../store/agent-runs.ts';
import { listOpenMessages } from '../store/open-messages.ts';
import { listWaitingTurns, type WaitingTurn } from '../store/waiting-turns.ts';
import { holdLeftRun, type LeftRun, resumeRun } from './adopt-run.ts';
import { createRunAgent } from './agent-calls.ts';
import { createChatScript } from './chat-script.ts';
import { driveTurn } from './drive-turn.ts';
import { keepMessage } from './keep-message.ts';
import { openLeftTurn, resumeTurn } from './resume-turn.ts';
import type { Seat } from './step/turn-progress.ts';
import type { TurnHouse } from './turn-house.ts';

/**
 * Before the port opens; or when another server has left some.
 * @param taken these; null: all
 * @returns how many there are
 */
export async function takeUpTurns(
  house: TurnHouse,
  taken: ReadonlyMap<string, unknown> | null,
): Promise<number> {
  const stored = await listWaitingTurns(house.deps.db);
  const isNew = ({ turn: { turn_id: id } }: WaitingTurn) =>
    taken === null || (taken.has(id) && house.registry.find(id) === null);
  const all = stored.filter(isNew);
  const runs = Map.groupBy(all, ({ run }) => run?.parent?.turnId ?? null);
  for (const waiting of runs.get(null) ?? []) {
    await takeUp(house, waiting, runs.get(waiting.turn.turn_id) ?? []);
  }
  return all.length;
}

/** Its place is the first of its session; the messages of those that had stood behind it come after it. */
async function takeUp(house: TurnHouse, waiting: WaitingTurn, runs: readonly WaitingTurn[]): Promise<void> {
  const { deps, lines, registry } = house;
  const live = await openLeftTurn(deps, waiting);
  const { turnId, sessionId } = live;
  const place = lines.enterPaused(sessionId, turnId);
  const seat = house.seatAt(place);
  const left = await holdAll(house, runs, seat);
  const begin = async () => {
    const { turn, openRound } = await resumeTurn(deps, waiting, { live, seat });
    if (waiting.run !== null) return resumeRun(deps, waiting.run, { turn, openRound });
    const plan = { script: createChatScript, openRound };
    return { turn: { ...turn, runAgent: createRunAgent(house, left) }, plan };
  };
  const finished = driveTurn(deps, { live, message: null, place, begun: begin() });
  registry.add(live, finished, seat);
  for (const open of await listOpenMessages(deps.db, sessionId)) {
    const behind = lines.enterChange(sessionId);
    void keepMessage(deps, behind, open).then(() => behind.leave());
  }
}

async function holdAll(
  house: TurnHouse,
  runs: readonly WaitingTurn[],
  { closing }: Seat,
): Promise<LeftRun[]> {
  const left: LeftRun[] = [];
  for (const waiting of runs) {
    const { run } = waiting;
    const parent: RunParent | null = run?.parent ?? null;
    if (run !== null && parent !== null)
      left.push(await holdLeftRun(house, waiting, { run, parent, closing }));
  }
  return left;
}
