// A turn that a client has asked for begins: that of a chat may start agents.
import type { TurnPlan } from './run-turn.ts';
import { type NewTurn, startTurn } from './start-turn.ts';
import type { RunningTurn } from './step/turn-progress.ts';
import type { TurnHouse } from './turn-house.ts';

/** @throws what `startTurn` throws */
export async function startChat(
  house: TurnHouse,
  started: NewTurn,
): Promise<{ readonly turn: RunningTurn; readonly plan: TurnPlan }> {
  const { turn, plan } = await startTurn(house.deps, started);
  // Agents call no agents.
  if (started.run !== null) return { turn, plan };
  return { turn: { ...turn, runAgent: house.runAgent }, plan };
}
