// Over real sockets: a stream of events ends cleanly, and one whose events cannot be had any more is cut.
import Fastify from 'fastify';
import { expect, it, onTestFinished } from 'vitest';
import { type EventSource, sendEvents } from './event-stream.ts';

const NOTED = { id: 1, event: { event: 'noted', data: 'a' } };

/** @returns what it logged, and how whoever reads gets on */
async function serve(watch: EventSource<number>['watch']) {
  const logged: string[] = [];
  const stream = { write: (line: string) => void logged.push(line) };
  const app = Fastify({ logger: { level: 'error', stream }, forceCloseConnections: true });
  const ends: boolean[] = [];
  app.get('/', async (_request, reply) => {
    void sendEvents(reply, { watcherCount: 1, watch }, { after: 0 }).then((hasStayed) =>
      ends.push(hasStayed),
    );
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => app.close());
  return { logged, ends, response: await fetch(url) };
}

it('ends after the last event', async () => {
  const { logged, ends, response } = await serve(async function* () {
    yield [NOTED];
  });
  expect(await response.text()).toBe('id: 1\nevent: noted\ndata: "a"\n\n');
  await expect.poll(() => ends).toEqual([true]);
  expect(logged).toEqual([]);
});

it('is cut where what follows cannot be had, so that whoever reads comes back', async () => {
  const { logged, ends, response } = await serve(async function* () {
    yield [NOTED];
    throw new Error('the disk is gone');
  });
  await expect(response.text()).rejects.toThrow();
  await expect.poll(() => ends).toEqual([false]);
  expect(logged.join('')).toContain('the disk is gone');
});

it('is a plain error where nothing can be watched', async () => {
  const { response } = await serve(() => {
    throw new Error('too many');
  });
  expect(response.status).toBe(500);
  expect(await response.json()).toMatchObject({ message: 'too many' });
});
