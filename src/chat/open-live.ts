// The first that is told of a turn: when it is on the disk.
import type { acceptTurn } from './accept-turn.ts';
import { agentStart } from './agent-run.ts';
import { openingEvents } from './opening-events.ts';

type Accepting = Pick<Parameters<typeof acceptTurn>[1], 'live' | 'request' | 'place' | 'run'>;

/** Resolves when the turn is durable and its first events were told. */
export async function openLive(
  { live, request, place, run }: Accepting,
  accepted: ReturnType<typeof acceptTurn>,
): Promise<void> {
  const { userMessageId, durable } = await accepted;
  await durable;
  const told = run === null ? [] : [agentStart({ live, request, run })];
  live.append(openingEvents(live, userMessageId, place, told));
}
