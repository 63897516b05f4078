// The wait for a person: the turn gives its place to others, and takes it again when the call that it waits for is
// decided. The wait is on disk before it is told, so that it outlives this process.
import type { Approval } from '../../contract/approval.ts';
import type { TurnState } from '../../contract/turn.ts';
import type { TurnEvent } from '../../contract/turn-event.ts';
import { unlessAborted } from '../../kit/unless-aborted.ts';
import { changeTurn } from '../../store/tenure.ts';
import { moveTurn } from '../../store/waiting-turns.ts';
import type { TurnDeps } from '../turn-deps.ts';
import type { LiveTurn } from '../watch/live-turn.ts';
import type { UndecidedCall } from './read-round.ts';
import { shownApprovals } from './shown-approvals.ts';
import { questionEvent } from './told-calls.ts';
import type { RunningTurn } from './turn-progress.ts';

/** The server stops; the turn goes on at its next start. */
export class TurnSuspended extends Error {
  override readonly name = 'TurnSuspended';
}

/**
 * Ends when the call is decided, or the turn is to stop.
 * @param isTold another process has asked already: who watches knows it from the snapshot
 * @returns whether the question was told: it may be decided before that
 * @throws TurnSuspended; what the store throws
 */
export async function* awaitDecision(
  deps: TurnDeps,
  turn: RunningTurn,
  undecided: UndecidedCall,
  isTold: boolean,
): AsyncGenerator<readonly TurnEvent[], boolean> {
  const { live, seat } = turn;
  const { turnId } = live;
  const { undecided: asked } = undecided.plan;
  const changes = new Changes();
  // Before it is looked at again: no decision is missed.
  const stopListening = deps.approvals.onSettled(turnId, () => changes.note());
  try {
    const question = questionEvent(undecided, asked);
    let told: readonly Approval[] = isTold ? await listPending(deps, turnId) : [];
    while (!live.signal.aborted) {
      const pending = await listPending(deps, turnId);
      if (!pending.some(({ confirmation_id: id }) => id === asked.confirmation_id)) break;
      if (pending.length !== told.length) {
        const status: TurnEvent = {
          event: 'status',
          data: { phase: 'waiting_for_approval', approvals: shownApprovals(pending) },
        };
        const events = told.length === 0 ? [status, question] : [status];
        told = pending;
        if (seat.isTaken) await rest(deps, turn, events.length);
        yield events;
      }
      await changes.next([live.signal, seat.closing]);
      if (seat.closing.aborted && !live.signal.aborted) throw new TurnSuspended();
    }
    return told.length > 0;
  } finally {
    stopListening();
  }
}

async function listPending(deps: TurnDeps, turnId: string): Promise<Approval[]> {
  const approvals = await deps.approvals.ofTurn(deps.db, turnId);
  return approvals.filter(({ state }) => state === 'pending');
}

async function rest(deps: TurnDeps, turn: RunningTurn, events: number): Promise<void> {
  await moveBoth(deps, turn, { from: 'running', to: 'waiting', events });
  turn.seat.leave();
  for (const live of bothOf(turn)) live.isWaiting = true;
}

/** A run of an agent, and the turn that has started it: they wait and go on together. */
function bothOf({ live, parent }: RunningTurn): readonly LiveTurn[] {
  return parent === null ? [live] : [live, parent];
}

async function moveBoth(
  { db }: TurnDeps,
  turn: RunningTurn,
  move: { readonly from: TurnState; readonly to: 'running' | 'waiting'; readonly events: number },
): Promise<void> {
  const { from, to, events } = move;
  await changeTurn(db, turn.live, async (transaction) => {
    for (const { turnId, lastEventId } of bothOf(turn)) {
      await moveTurn(transaction, turnId, { from, to, lastEventId: lastEventId + events });
    }
  });
}

/**
 * Takes the place again that was given away, where it was; a turn that is to stop needs none.
 * @throws TurnSuspended; what the store throws
 */
export async function* goOn(deps: TurnDeps, turn: RunningTurn): AsyncGenerator<readonly TurnEvent[], void> {
  const { live, seat } = turn;
  if (seat.isTaken || live.signal.aborted) return;
  // Nobody is waited for any more.
  for (const one of bothOf(turn)) one.isWaiting = false;
  const taken = seat.take();
  const either = AbortSignal.any([live.signal, seat.closing]);
  if (!seat.isTaken) yield [{ event: 'status', data: { phase: 'queued', position: seat.position } }];
  await unlessAborted(taken, either).catch(() => undefined);
  if (live.signal.aborted) return;
  if (either.aborted) throw new TurnSuspended();
  await moveBoth(deps, turn, { from: 'waiting', to: 'running', events: 1 });
  yield [{ event: 'status', data: { phase: 'running_tool' } }];
}

/** Has a lifetime: that of one wait. Something that happens while nobody looks is not missed. */
class Changes {
  #hasChanged = false;
  #resume: (() => void) | null = null;

  note(): void {
    this.#hasChanged = true;
    this.#resume?.();
  }

  /** Resolves at the next change, at once where there was one since the last time; and when a signal aborts. */
  async next(signals: readonly AbortSignal[]): Promise<void> {
    const either = AbortSignal.any([...signals]);
    if (!this.#hasChanged && !either.aborted) {
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
        either.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    this.#hasChanged = false;
  }
}
