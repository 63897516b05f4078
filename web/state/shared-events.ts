// What happens on the server, told to every tab by one of them: browsers have six connections for a server.
import { isMochiError, type Link, type ServerEvent } from '../../src/client/index.ts';
import { mochi } from './server.ts';

export interface Ear {
  readonly onEvent: (event: ServerEvent) => void;
  readonly onLink: (link: Link) => void;
}

type Told = { readonly event: ServerEvent } | { readonly link: Link };

/** Servers under several paths of one host are several. */
const NAME = `mochi.events ${new URL('.', location.href).pathname}`;
/** After a connection that was given up. */
const AGAIN_MS = 10_000;

/** Hears until the signal ends it; what came before must be read. Without TLS each tab listens for itself. */
export async function hearEvents(ear: Ear, signal: AbortSignal): Promise<void> {
  let last = -1;
  const hear = (told: Told) => {
    if ('link' in told) {
      ear.onLink(told.link);
      return;
    }
    last = Math.max(last, told.event.id);
    ear.onEvent(told.event);
  };
  // Without TLS a browser has no locks, whatever its types say.
  const { locks } = navigator as { readonly locks?: LockManager };
  if (locks === undefined) {
    await listen(hear, () => last, signal);
    return;
  }
  const others = new BroadcastChannel(NAME);
  others.addEventListener('message', ({ data }: MessageEvent<Told>) => hear(data));
  const tell = (told: Told) => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- No window: a channel of this origin alone.
    others.postMessage(told);
    hear(told);
  };
  try {
    // Whoever has it listens for all, until it is hidden or closed: then it is the next one's.
    await locks.request(NAME, { signal }, () => listen(tell, () => last, signal));
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    others.close();
  }
}

async function listen(tell: (told: Told) => void, last: () => number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const after = last() < 0 ? {} : { after: last() };
    try {
      const onLink = (link: Link) => tell({ link });
      for await (const event of mochi.events({ signal, onLink, ...after })) tell({ event });
    } catch (error) {
      if (signal.aborted) return;
      if (!isMochiError(error)) throw error;
      tell({ link: 'offline' });
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}
