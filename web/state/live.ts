// What happens on the server, by whomever: one stream while the page is looked at, and none while it is not.
import { signal } from '@preact/signals';
import { isMochiError, type ServerEvent } from '../../src/client/index.ts';
import { chat, chatState, isAnswering } from './chat.ts';
import { mochi } from './server.ts';
import { refreshSessions } from './sessions.ts';

/** Another version of the server than the one that the page came from. */
export const isOutdated = signal(false);
/** Sessions in which something waits for a person, by approval. */
export const waiting = signal<ReadonlyMap<string, string>>(new Map());

/** A page that nobody looks at gives its connection back to the others: browsers have six for a server. */
const HIDDEN_MS = 10_000;
/** After a connection that was given up. */
const AGAIN_MS = 10_000;
/** What changes together is read once. */
const GATHER_MS = 200;

let version: string | null = null;
let gathering: ReturnType<typeof setTimeout> | null = null;

/** @returns what ends it */
export function keepLive(): () => void {
  const away = new AbortController();
  let reading: AbortController | null = null;
  let hiding: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    reading?.abort();
    reading = null;
  };
  const look = () => {
    clearTimeout(hiding);
    if (document.visibilityState === 'hidden') hiding = setTimeout(stop, HIDDEN_MS);
    else if (reading === null) {
      reading = new AbortController();
      void listen(reading.signal);
    }
  };
  document.addEventListener('visibilitychange', look, { signal: away.signal });
  look();
  return () => {
    clearTimeout(hiding);
    away.abort();
    stop();
  };
}

async function listen(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const event of mochi.events({ signal })) hear(event);
    } catch (error) {
      if (signal.aborted) return;
      if (!isMochiError(error)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

function hear({ event, data }: ServerEvent): void {
  if (event === 'hello') {
    isOutdated.value = version !== null && version !== data.version;
    version ??= data.version;
  }
  if (event === 'hello' || event === 'reset') void readWaiting();
  if (event === 'approval') {
    const next = new Map(waiting.value);
    if (data.state === 'pending') next.set(data.confirmation_id, data.session_id);
    else next.delete(data.confirmation_id);
    waiting.value = next;
  }
  if (event === 'session') lookAtShown(data);
  if (event !== 'pull') gathering ??= setTimeout(gathered, GATHER_MS);
}

function gathered(): void {
  gathering = null;
  void refreshSessions();
}

async function readWaiting(): Promise<void> {
  const found = new Map<string, string>();
  try {
    for await (const { confirmation_id: id, session_id: sessionId } of mochi.approvals.list({ limit: 100 }))
      found.set(id, sessionId);
    waiting.value = found;
  } catch (error) {
    if (!isMochiError(error)) throw error;
  }
}

/** The conversation that is shown was changed by somebody else. */
function lookAtShown(told: Extract<ServerEvent, { event: 'session' }>['data']): void {
  const session = chatState.peek()?.session ?? null;
  if (session === null || session.session_id !== told.session_id || isAnswering.peek()) return;
  if (told.active_turn !== null || told.message_count !== session.message_count) chat.peek()?.check();
}
