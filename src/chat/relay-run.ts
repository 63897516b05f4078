// What a run of an agent tells, told by the turn that has started it: batch by batch, as it comes. That it waits for a
// person is the turn's own state, too.
import { type HeardRun, hearRun, type RunPlace, translateBatch } from '../agents/translate-events.ts';
import { type ErrorBody, MochiError } from '../contract/errors.ts';
import type { TurnEvent } from '../contract/turn-event.ts';
import { TurnSuspended } from './step/await-decision.ts';
import type { LiveTurn } from './watch/live-turn.ts';

/** A run that is under way, as the turn that has started it follows it. */
export interface FollowedRun {
  readonly live: LiveTurn;
  readonly place: RunPlace;
  readonly maxRounds: number;
  /** What has been told of it before. */
  readonly after: number;
}

interface Relay {
  heard: HeardRun;
  isWaiting: boolean;
  hasEnded: boolean;
  /** What ends the turn that has started it, too. */
  failure: MochiError | null;
}

/**
 * Ends with the run.
 * @throws TurnSuspended when the run goes on in another process; MochiError what ends the turn, too
 */
export async function* relayRun(run: FollowedRun): AsyncGenerator<readonly TurnEvent[], void> {
  const relay: Relay = {
    heard: hearRun(run.place, run.maxRounds),
    isWaiting: run.live.isWaiting,
    hasEnded: false,
    failure: null,
  };
  for await (const batch of run.live.watch(run.after, new AbortController().signal)) {
    const events = batch.flatMap(({ id, event }) => (id === null ? [] : relayEvent(relay, event)));
    if (events.length > 0) yield events;
  }
  if (!relay.hasEnded) throw new TurnSuspended();
  if (relay.failure !== null) throw relay.failure;
}

function relayEvent(relay: Relay, event: TurnEvent): TurnEvent[] {
  const { heard, events } = translateBatch(relay.heard, [event]);
  relay.heard = heard;
  if (event.event === 'done') relay.hasEnded = true;
  if (event.event === 'error') relay.failure = sharedFailure(event.data);
  if (event.event !== 'status') return events;
  const { phase, approvals = [] } = event.data;
  if (phase === 'waiting_for_approval') {
    relay.isWaiting = true;
    return [...events, { event: 'status', data: { phase, approvals } }];
  }
  if (!relay.isWaiting) return events;
  relay.isWaiting = false;
  return [{ event: 'status', data: { phase: 'running_tool' } }, ...events];
}

/** A client that waits for no approval is told so by whatever asks first. */
function sharedFailure({ code, message, details }: ErrorBody): MochiError | null {
  if (code !== 'tool_confirmation_requires_streaming') return null;
  const { session_id: _chat, turn_id: _run, message_id: _message, ...rest } = details;
  return new MochiError(code, message, rest);
}
