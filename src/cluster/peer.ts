// The events of a turn from the instance that drives it, over HTTP: a batch a line, an empty line now and then.
import { setTimeout } from 'node:timers/promises';

/** Of what instances say to each other. */
export const PROTOCOL = 1;
export const PROTOCOL_HEADER = 'x-mochi-protocol';

/** How often an instance shows that it is there. */
export const SIGN_MS = 1000;
/** Who shows nothing for so long has gone, or stands still. */
const SILENCE_MS = 5000;
/** Of one line: an answer is told whole at its end. */
const MAX_LINE = 64 * 1024 * 1024;

export interface Peer {
  readonly url: string;
  readonly secret: string;
}

/**
 * What follows an event, batch by batch; as fast as it is taken. Ends where the instance ends it.
 * @throws Error when it cannot be reached, does not drive the turn, says nothing, or says nonsense
 */
export async function* followPeer(
  { url, secret }: Peer,
  {
    turnId,
    after,
    signal,
  }: { readonly turnId: string; readonly after: number; readonly signal: AbortSignal },
): AsyncGenerator<unknown, void> {
  const gone = new AbortController();
  const answer = await unlessSilent(
    fetch(new URL(`/internal/turns/${encodeURIComponent(turnId)}/events?after=${after}`, url), {
      headers: { authorization: `Bearer ${secret}`, [PROTOCOL_HEADER]: String(PROTOCOL) },
      redirect: 'error',
      signal: AbortSignal.any([signal, gone.signal]),
    }),
    gone,
  );
  const { body } = answer;
  if (!answer.ok || body === null) {
    await body?.cancel();
    throw new Error(`Another instance answers ${answer.status}.`);
  }
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    let rest = '';
    for (;;) {
      const { done, value } = await unlessSilent(reader.read(), gone);
      if (done) return;
      const lines = `${rest}${value}`.split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MAX_LINE) throw new Error('Another instance says too much at once.');
      for (const line of lines) if (line !== '') yield JSON.parse(line);
    }
  } finally {
    gone.abort();
    await reader.cancel().catch(() => undefined);
  }
}

async function unlessSilent<T>(said: Promise<T>, gone: AbortController): Promise<T> {
  const heard = new AbortController();
  const silence = setTimeout(SILENCE_MS, undefined, { signal: heard.signal, ref: false }).then(
    () => {
      gone.abort();
      throw new Error('Another instance says nothing.');
    },
    () => new Promise<never>(() => undefined),
  );
  try {
    return await Promise.race([said, silence]);
  } finally {
    heard.abort();
  }
}
