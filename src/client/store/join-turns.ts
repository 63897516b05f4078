// Turns that somebody else asked for: another tab, another device, this page before it was reloaded.
import type { StoreDeps } from './store-deps.ts';

export interface TurnJoiner {
  /** Follows the turn that the session is at, if nobody does, and those after it. */
  join(): Promise<void>;
  /** The same, also one that was given up. */
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

  async function join(): Promise<void> {
    const active = holder.get().session?.active_turn ?? null;
    if (!isOpen || active === null || active === joined || turns.newest !== null) return;
    joined = active;
    await turns.follow({ turn: mochi.turns.watch(active, { onLink: holder.setLink }), base: null });
    await join();
  }

  return {
    join,
    joinAgain() {
      joined = null;
      return join();
    },
    close() {
      isOpen = false;
    },
  };
}
