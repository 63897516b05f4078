// Calls of `agent`: each is a run in a chat of the agent, whose end is the result of the call.
import { MochiError } from '../contract/errors.ts';
import { adoptRun, type LeftRun } from './adopt-run.ts';
import { openRun } from './open-run.ts';
import { relayRun } from './relay-run.ts';
import type { RunAgent } from './step/turn-progress.ts';
import type { TurnHouse } from './turn-house.ts';

/** @param left runs of the turn that wait for a person since an earlier run of the server */
export function createRunAgent(house: TurnHouse, left: readonly LeftRun[] = []): RunAgent {
  return async function* runAgent(parent, call) {
    const { messageId, callIndex } = call.call;
    const begun = left.find((run) => run.messageId === messageId && run.callIndex === callIndex);
    if (call.hasBegun && begun === undefined) return 'The agent had begun, and is lost.';
    const followed =
      begun === undefined
        ? await openRun(house, parent, call)
        : await adoptRun(house.deps, parent, { begun, call });
    if (typeof followed === 'string') return followed;
    const { signal } = parent.live;
    const stop = () => followed.live.stop(reasonOf(signal));
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      yield* relayRun(followed);
      return null;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  };
}

function reasonOf({ reason }: AbortSignal): MochiError {
  return reason instanceof MochiError ? reason : new MochiError('turn_cancelled', 'The turn has ended.');
}
