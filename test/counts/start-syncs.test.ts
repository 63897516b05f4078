// A count that no noise touches: how often the disk is waited for when many turns begin in one instant.
import { expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { HeldDisk } from '../support/held-disk.ts';
import { startTestServer } from '../support/test-server.ts';

const STARTS = 200;
const SYNCS = 5;

it.skipIf(process.platform === 'darwin')(
  '200 turns that begin at once share five syncs at most',
  {
    timeout: 60_000,
  },
  async () => {
    const disk = new HeldDisk();
    const server = await startTestServer({
      disk,
      config: { maxConcurrentTurns: STARTS, engineParallel: STARTS },
    });
    server.ollama.reply(...Array.from({ length: STARTS }, () => script(text('Hm', '.'), hangAfter(1))));
    const sessions = await Promise.all(Array.from({ length: STARTS }, () => server.createSession()));

    disk.hold();
    const asked = sessions.map((id) => server.stream(`/chat/${id}/stream`, { message: 'Hello' }));
    const accepted = async () => {
      const { body } = await server.get(`/sessions?limit=${STARTS}`);
      return body.sessions.filter((session: { message_count: number }) => session.message_count === 1).length;
    };
    await expect.poll(accepted, { timeout: 30_000 }).toBe(STARTS);
    // Whoever waits for another one would wait for ever.
    disk.release(SYNCS);
    const streams = await Promise.all(asked);
    const first = await Promise.all(streams.map(async ({ events }) => (await events.next()).value?.event));
    expect(new Set(first)).toEqual(new Set(['turn_start']));
    disk.release();
    await server.close();
  },
);
