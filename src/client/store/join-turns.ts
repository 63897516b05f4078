// Turns that somebody else asked for: another tab, another device, this page before it was reloaded.
import type { TurnView } from '../turn-view.ts';
import type { StoreDeps } from './store-deps.ts';

export interface TurnJoiner {
  /** Follows the turn that the session is at, if nobody does, and those after it. */
  join(): Promise<void>;
  /** The same, also one that was given up, be it at its end by now. */
  joinAgain(): Promise<void>;
  close(): void;
}

export function joinTurns({
  mochi,
  holder,
  turns,
}: Pick<StoreDeps, 'mochi' | 'holder' | 'turns'>): TurnJoiner {
  let isOpen = true;
  let joined: string | null = null;

  const activeOf = () => holder.get().session?.active_turn ?? null;

  async function join(turnId = activeOf()): Promise<void> {
    if (!isOpen || turnId === null || turnId === joined || turns.newest !== null) return;
    joined = turnId;
    await turns.follow({ turn: mochi.turns.watch(turnId, { onLink: holder.setLink }), base: null });
    await join();
  }

  return {
    join,
    joinAgain() {
      joined = null;
      return join(activeOf() ?? unfinished(holder.get().turn));
    },
    close() {
      isOpen = false;
    },
  };
}

/** One that was given up in its middle: it has ended since, and its end was not seen. */
function unfinished(turn: TurnView | null): string | null {
  return turn !== null && ['queued', 'running', 'waiting'].includes(turn.state) ? turn.turnId : null;
}
