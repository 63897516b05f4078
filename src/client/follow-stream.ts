// An event stream that outlives its connections: what breaks is opened again after the last event that was seen.
import { isMochiError, type MochiError } from './errors.ts';
import type { Connection, Link } from './options.ts';
import { backoff, pause, unlessAborted } from './pause.ts';
import { type Frame, readEvents } from './read-events.ts';
import { unreachable } from './send.ts';

interface Place {
  /** The last event that was seen; −1: none. */
  readonly after: number;
  /** Not to follow: what there is, and the end. */
  readonly polls: boolean;
  readonly signal: AbortSignal;
}

export interface StreamSource {
  /** Answers a stream, or 204 when nothing more will come. */
  open(place: Place): Promise<Response>;
  /** Whether it is worth opening again after this error; default: after one of the network or of a server in trouble. */
  isLost?(error: MochiError): boolean;
}

/** The reader's end of it. */
export interface Follower {
  /** Ends the reading. */
  readonly signal: AbortSignal;
  readonly onLink: (link: Link) => void;
  /** The connection at the moment is given up for a new one: set by whoever follows, called by whoever knows better. */
  renew: () => void;
  /** Nobody looks: no connection stays, and what there is is asked for every so many milliseconds. Default: null, as it comes. */
  restMs?: number | null;
}

const POLL_MS = 500;
const SLOW_POLL_MS = 3000;
/** A connection that has lived so long was a good one, although nothing came. */
const GOOD_CONNECTION_MS = 5000;

/** Ends when the source has no more; what it tells twice comes twice. @throws MochiError, or what the follower's signal was aborted with */
export async function* followStream(
  connection: Connection,
  source: StreamSource,
  follower: Follower,
  seen = -1,
): AsyncGenerator<Frame, void> {
  const { retry, transport, onReconnect } = connection;
  const health = watchHealth(retry);
  let after = seen;
  let polls = transport === 'poll';
  for (let quiet = 0; ; ) {
    if (follower.signal.aborted) throw follower.signal.reason;
    const attempt = beginAttempt(follower);
    const { restMs = null } = follower;
    let error: MochiError | null = null;
    let hasBytes = false;
    try {
      const place = { after, polls: polls || restMs !== null, signal: attempt.signal };
      const response = await unlessAborted(source.open(place), attempt.signal);
      if (response.status === 204) return;
      if (!place.polls && response.body === null && transport === 'auto') {
        // Nothing can be read before its end: what there is, again and again.
        polls = true;
        follower.renew();
        continue;
      }
      follower.onLink(polls ? 'polling' : 'live');
      health.opened();
      const onBytes = () => {
        hasBytes = true;
        health.good();
      };
      for await (const frame of readEvents(response, { idleMs: retry.idleMs, onBytes })) {
        health.good();
        quiet = 0;
        after = Math.max(after, frame.id ?? -1);
        yield frame;
      }
    } catch (thrown) {
      if (follower.signal.aborted) throw follower.signal.reason;
      if (attempt.isRenewed()) continue;
      error = isMochiError(thrown) ? thrown : unreachable(connection, thrown);
      if (!(source.isLost ?? isLost)(error)) throw error;
      // Something on the way holds streams back.
      if (error.code === 'stalled' && !hasBytes && transport === 'auto') polls = true;
    } finally {
      attempt.end();
    }
    if ((polls || restMs !== null) && error === null) {
      quiet += 1;
      await pauseUntilRenewed(follower, restMs ?? Math.min(SLOW_POLL_MS, POLL_MS * quiet));
      continue;
    }
    const { failures, delayMs } = health.lost(error ?? unreachable(connection, 'the stream ended'));
    follower.onLink(failures > 1 ? 'offline' : 'reconnecting');
    onReconnect?.({ failures, after, delayMs, error });
    await pauseUntilRenewed(follower, Math.max(delayMs, error?.retryAfterMs ?? 0));
  }
}

export function isLost({ code, status }: MochiError): boolean {
  return (
    code === 'unreachable' || code === 'stalled' || (status !== null && (status >= 500 || status === 429))
  );
}

/** A connection of a follower, which can be given up for the next without an end of the reading. */
function beginAttempt(follower: Follower) {
  const controller = new AbortController();
  const onAbort = () => controller.abort(follower.signal.reason);
  let isRenewed = false;
  follower.signal.addEventListener('abort', onAbort);
  follower.renew = () => {
    isRenewed = true;
    controller.abort();
  };
  return {
    signal: controller.signal,
    isRenewed: () => isRenewed && !follower.signal.aborted,
    /** Nothing of it stays open. */
    end() {
      follower.signal.removeEventListener('abort', onAbort);
      controller.abort();
    },
  };
}

async function pauseUntilRenewed(follower: Follower, ms: number): Promise<void> {
  const attempt = beginAttempt(follower);
  try {
    await pause(ms, attempt.signal);
  } catch (reason) {
    if (!attempt.isRenewed()) throw reason;
  } finally {
    attempt.end();
  }
}

/** Counts failures in a row, and how long they have been going on. */
function watchHealth({ reconnectForMs, firstDelayMs }: Connection['retry']) {
  let failures = 0;
  let failingSince: number | null = null;
  let openedAt: number | null = null;
  const good = () => {
    failures = 0;
    failingSince = null;
  };
  return {
    good,
    opened() {
      openedAt = Date.now();
    },
    /** @throws MochiError the error, when it has been failing for too long */
    lost(error: MochiError) {
      const now = Date.now();
      if (openedAt !== null && now - openedAt > GOOD_CONNECTION_MS) good();
      openedAt = null;
      failures += 1;
      failingSince ??= now;
      if (now - failingSince > reconnectForMs) throw error;
      // The first time at once.
      return { failures, delayMs: failures === 1 ? 0 : backoff(failures - 1, firstDelayMs) };
    },
  };
}
