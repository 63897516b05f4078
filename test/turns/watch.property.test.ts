// Watchers that join when they like and lose their connection when it happens all see one list.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { StreamedEvent } from '../support/read-events.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { behave, spoken } from './behave.ts';
import { expectWhole, readUntil, type Seen, textOf, watchTurn } from './watching.ts';

/** A connection: how many events it delivers before it breaks, and how the watcher says where it was. */
interface Visit {
  readonly reads: number;
  /** It asks for what there is, and is not cut. */
  readonly polls: boolean;
  readonly tells: 'header' | 'query' | 'both' | 'old query' | 'old header';
}

const visit: fc.Arbitrary<Visit> = fc.record({
  reads: fc.integer({ min: 1, max: 40 }),
  polls: fc.boolean(),
  tells: fc.constantFrom('header', 'query', 'both', 'old query', 'old header'),
});
const watcher = fc.record({
  /** It joins when the turn has come so far. */
  joinsAt: fc.integer({ min: 1, max: 90 }),
  visits: fc.array(visit, { maxLength: 8 }),
});
const plan = fc.record({
  watchers: fc.array(watcher, { minLength: 4, maxLength: 12, size: 'max' }),
  question: fc.constantFrom('pace 60', 'tool pace 40', 'fail 30', 'tool fail 20'),
});

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault(behave);
});
afterAll(() => server.close());

/** The larger of the two numbers counts. */
function toSeen(last: number, tells: Visit['tells']): Seen {
  switch (tells) {
    case 'header':
      return { lastEventId: last };
    case 'query':
      return { after: last };
    case 'both':
      return { after: last, lastEventId: last };
    case 'old query':
      return { after: Math.floor(last / 2), lastEventId: last };
    case 'old header':
      return { after: last, lastEventId: Math.floor(last / 2) };
    default:
      return tells satisfies never;
  }
}

async function follow(turnId: string, visits: readonly Visit[]): Promise<StreamedEvent[]> {
  const seen: StreamedEvent[] = [];
  const last: Visit = { reads: Number.POSITIVE_INFINITY, polls: false, tells: 'header' };
  for (const { reads, polls, tells } of [...visits, last]) {
    const seenSoFar = toSeen(seen.at(-1)?.id ?? 0, tells);
    const watch = await watchTurn(server, turnId, { ...seenSoFar, ...(polls && { follow: false }) });
    if (seen.at(-1)?.event === 'done') {
      expect(watch.status).toBe(204);
      return seen;
    }
    const most = polls ? Number.POSITIVE_INFINITY : reads;
    for (let read = 0; read < most; read += 1) {
      const next = await watch.events.next();
      if (next.done) break;
      seen.push(next.value);
    }
    // What was on its way is lost, as in a network that breaks.
    watch.abort();
  }
  return seen;
}

it('every watcher has the same list in the end', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(plan, async ({ watchers, question }) => {
      const sessionId = await server.createSession();
      const stream = await server.stream(`/chat/${sessionId}/stream`, { message: question });
      const turnId = stream.headers.get('x-turn-id') ?? '';
      const all: StreamedEvent[] = [];
      const following: Promise<StreamedEvent[]>[] = [];
      const waiting = [...watchers].sort((left, right) => left.joinsAt - right.joinsAt);
      while (all.at(-1)?.event !== 'done') {
        all.push(...(await readUntil(stream, () => true)));
        while ((waiting[0]?.joinsAt ?? Number.POSITIVE_INFINITY) <= all.length) {
          following.push(follow(turnId, waiting.shift()?.visits ?? []));
        }
      }
      // Those that were late for the turn itself.
      following.push(...waiting.map(({ visits }) => follow(turnId, visits)));
      expectWhole(all);
      expect(textOf(all)).toBe(spoken(Number(/\d+/.exec(question))));
      for (const seen of await Promise.all(following)) expect(seen).toEqual(all);
    }),
    { numRuns: 10 },
  );
});
