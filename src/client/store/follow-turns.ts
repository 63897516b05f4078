// The turns of a conversation, one after the other, as its state shows them.
import { foldTurn } from '../fold-turn.ts';
import type { Turn } from '../turn.ts';
import type { TurnEvent } from '../turn-event.ts';
import { EMPTY_TURN } from '../turn-view.ts';
import type { StateHolder } from './chat-state.ts';
import { completeRow, findIndex } from './path-rows.ts';
import type { ConversationReader } from './read-conversation.ts';

interface Followed {
  readonly turn: Turn;
  /** Where the path changes by it. Null: where the first row of the turn is, else at the end. */
  readonly base: number | null;
  /** The turn is there: whoever asked for it may forget the request. */
  readonly onStart?: () => void;
}

export interface TurnFollower {
  /** Those before it are followed to their end first. @returns whether it was seen to its end */
  follow(followed: Followed): Promise<boolean>;
  /** The one that goes on. */
  readonly current: Turn | null;
  /** The one that was asked for last. */
  readonly newest: Turn | null;
  /** Connections for new ones, at once; ends a rest. */
  renew(): void;
  /** No connection stays, of those to come either: see `Turn.rest`. */
  rest(everyMs: number): void;
  leave(): void;
  /** Nobody watches any more. */
  readonly hasLeft: boolean;
}

export function followTurns(holder: StateHolder, reader: ConversationReader): TurnFollower {
  const open = new Set<Turn>();
  let last: Promise<unknown> = Promise.resolve();
  let current: Turn | null = null;
  let restMs: number | null = null;
  let hasLeft = false;

  async function run({ turn, base, onStart }: Followed): Promise<boolean> {
    // It was refused, or never heard, while it stood behind another: whoever asked for it has told.
    if (!open.has(turn)) return false;
    const before = holder.get().turn;
    let hasBegun = false;
    current = turn;
    holder.set({ turn: EMPTY_TURN });
    try {
      return await reader.attempt(async () => {
        const refresh = () => reader.refresh(base ?? baseOf(holder));
        for await (const event of turn) {
          hasBegun = true;
          show(holder, event);
          if (event.event === 'turn_start' || event.event === 'snapshot') onStart?.();
          // What it says may wait for nothing: a read that fails is made up for at the end.
          if (changesPath(event)) void refresh().catch(() => undefined);
        }
        // What is told from here on is about what comes after it, which these reads may miss.
        open.delete(turn);
        if (!hasLeft) await Promise.all([refresh(), reader.status()]);
      });
    } finally {
      open.delete(turn);
      current = null;
      // What never was goes on no more than the one before it.
      if (!hasBegun && !hasLeft) holder.set({ turn: before });
    }
  }

  return {
    get current() {
      return current;
    },
    get newest() {
      return [...open].at(-1) ?? null;
    },
    get hasLeft() {
      return hasLeft;
    },
    follow(followed) {
      const { turn } = followed;
      open.add(turn);
      turn.id.catch(() => open.delete(turn));
      if (restMs !== null) turn.rest(restMs);
      const done = last.then(() => run(followed));
      last = done.catch(() => undefined);
      return done;
    },
    renew() {
      restMs = null;
      for (const turn of open) turn.renew();
    },
    rest(everyMs) {
      restMs = everyMs;
      for (const turn of open) turn.rest(everyMs);
    },
    leave() {
      hasLeft = true;
      for (const turn of open) turn.leave();
    },
  };
}

function show(holder: StateHolder, event: TurnEvent): void {
  const { turn, rows, link } = holder.get();
  // What comes through says more than a request that did not.
  const heard = { problem: null, link: link === 'offline' ? ('live' as const) : link };
  const change = { turn: foldTurn(turn ?? EMPTY_TURN, event), ...heard };
  if (event.event === 'message_complete')
    holder.set({ ...change, rows: completeRow(rows, event.data.message) });
  else holder.set(change);
}

/** A message was put on the path, or will be another from now on. */
function changesPath(event: TurnEvent): boolean {
  switch (event.event) {
    case 'turn_start':
    case 'tool_continuation_start':
      return true;
    case 'status':
      return event.data.message_id !== undefined;
    default:
      return false;
  }
}

function baseOf(holder: StateHolder): number {
  const { rows, total, turn } = holder.get();
  const first = findIndex(rows, (row) => row.turn_id !== null && row.turn_id === turn?.turnId);
  return first ?? total;
}
