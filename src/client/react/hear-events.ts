// What happens on a server, over one connection for all that want to hear of it.
import { isMochiError } from '../errors.ts';
import type { Mochi } from '../index.ts';
import { pause } from '../pause.ts';
import type { ServerEvent } from '../resources/events.ts';
import { perServer } from './per-server.ts';

type Listener = (event: ServerEvent) => void;

const AGAIN_MS = 5000;

/** @returns what ends it */
export function hearEvents(mochi: Mochi, listener: Listener): () => void {
  const hearing = perServer(mochi, 'events', () => ({
    listeners: new Set<Listener>(),
    stop: new AbortController(),
  }));
  const { listeners } = hearing;
  if (listeners.size === 0) {
    hearing.stop = new AbortController();
    void hear(mochi, listeners, hearing.stop.signal);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) hearing.stop.abort();
  };
}

/** Until it is stopped, or the server will not have it. */
async function hear(mochi: Mochi, listeners: ReadonlySet<Listener>, signal: AbortSignal): Promise<void> {
  for (let after = -1; !signal.aborted; ) {
    try {
      for await (const event of mochi.events({ signal, after })) {
        after = event.id;
        for (const listener of listeners) listener(event);
      }
    } catch (error) {
      if (!isMochiError(error) || error.status !== null) return;
      await pause(AGAIN_MS, signal).catch(() => undefined);
    }
  }
}
