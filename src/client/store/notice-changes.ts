// What was changed elsewhere: another tab or device showed another branch, edited, or began a turn.
import { MochiError } from '../errors.ts';
import type { ServerEvent } from '../resources/events.ts';
import type { TurnJoiner } from './join-turns.ts';
import type { StoreDeps } from './store-deps.ts';

/** @returns what is to be told each event of the server */
export function noticeChanges(deps: StoreDeps, joiner: TurnJoiner): (event: ServerEvent) => void {
  const { sessionId, holder, reader, turns } = deps;
  let isReading = false;
  let isStale = false;

  async function readAnew(): Promise<void> {
    if (isReading) return;
    isReading = true;
    while (isStale && turns.newest === null) {
      isStale = false;
      await reader.attempt(() => reader.rereadLoaded());
    }
    isReading = false;
    await joiner.join();
  }

  return (event) => {
    const isOurs = event.event === 'session' && event.data.session_id === sessionId;
    if (isOurs && event.data.deleted) {
      holder.set({ problem: gone(sessionId) });
      return;
    }
    // A turn that is followed ends with a read of its own.
    if ((!isOurs && event.event !== 'reset') || turns.newest !== null || holder.get().session === null)
      return;
    isStale = true;
    void readAnew();
  };
}

/** As the server would say of the next request; what was read stays to be seen. */
function gone(sessionId: string): MochiError {
  const message = `Session ${sessionId} not found`;
  return new MochiError({
    code: 'session_not_found',
    message,
    status: 404,
    details: { session_id: sessionId },
  });
}
