// What happens on the server, by whomever: heard while the page is looked at, and not while it is not.
import { signal } from '@preact/signals';
import { isMochiError, type Link, type ServerEvent } from '../../src/client/index.ts';
import { chat } from './chat.ts';
import { compareVersion, readHealth } from './health.ts';
import { hearPull } from './models.ts';
import { mochi } from './server.ts';
import { refreshSessions } from './sessions.ts';
import { hearEvents } from './shared-events.ts';

/** Sessions in which something waits for a person, by approval. */
export const waiting = signal<ReadonlyMap<string, string>>(new Map());
/** How the server can be reached, by what is heard of it. */
export const serverLink = signal<Link>('live');

/** A page that nobody looks at gives its connection back to the others. */
const HIDDEN_MS = 10_000;
/** What changes together is read once. */
const GATHER_MS = 200;

let gathering: ReturnType<typeof setTimeout> | null = null;

/** @returns what ends it */
export function keepLive(): () => void {
  const away = new AbortController();
  let hearing: AbortController | null = null;
  let hiding: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    hearing?.abort();
    hearing = null;
  };
  const look = () => {
    clearTimeout(hiding);
    if (document.visibilityState === 'hidden') hiding = setTimeout(stop, HIDDEN_MS);
    else if (hearing === null) {
      hearing = new AbortController();
      void begin(hearing.signal);
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

/** What was not heard is read; where a key is wanted, that waits for it, and nobody listens for others without one. */
async function begin(signal: AbortSignal): Promise<void> {
  await Promise.all([refreshSessions(), readWaiting(), readHealth()]);
  if (!signal.aborted) await hearEvents({ onEvent, onLink }, signal);
}

function onLink(link: Link): void {
  const wasAway = serverLink.value !== 'live';
  serverLink.value = link;
  if (wasAway && link === 'live') chat.peek()?.check();
}

function onEvent(told: ServerEvent): void {
  const { event, data } = told;
  if (event === 'hello') compareVersion(data.version);
  if (event === 'hello' || event === 'reset') void readWaiting();
  if (event === 'approval') hearApproval(data);
  chat.peek()?.notice(told);
  if (event === 'pull') hearPull(data);
  else gathering ??= setTimeout(gathered, GATHER_MS);
}

function gathered(): void {
  gathering = null;
  void refreshSessions();
}

type Approval = Extract<ServerEvent, { event: 'approval' }>['data'];

/** While the list is read: newer than what it will say. Null: it is not. */
let heard: Approval[] | null = null;

function hearApproval(approval: Approval): void {
  heard?.push(approval);
  waiting.value = withApprovals(waiting.value, [approval]);
}

function withApprovals(before: ReadonlyMap<string, string>, told: readonly Approval[]): Map<string, string> {
  const after = new Map(before);
  for (const { state, confirmation_id: id, session_id: sessionId } of told) {
    if (state === 'pending') after.set(id, sessionId);
    else after.delete(id);
  }
  return after;
}

async function readWaiting(): Promise<void> {
  const since: Approval[] = [];
  heard = since;
  const found = new Map<string, string>();
  try {
    for await (const { confirmation_id: id, session_id: sessionId } of mochi.approvals.list({ limit: 100 }))
      found.set(id, sessionId);
    if (heard === since) waiting.value = withApprovals(found, since);
  } catch (error) {
    if (!isMochiError(error)) throw error;
  } finally {
    if (heard === since) heard = null;
  }
}
