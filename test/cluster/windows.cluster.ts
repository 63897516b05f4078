// One engine for several servers: none makes it load a model anew for the window of another.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { type Cluster, type ClusterServer, openCluster } from './world.ts';

let cluster: Cluster;
let one: ClusterServer;
let other: ClusterServer;

beforeAll(async () => {
  cluster = await openCluster();
  [one, other] = await Promise.all([cluster.start(), cluster.start()]);
  cluster.ollama.setDefault(() => text('Fine.'));
}, 60_000);
afterAll(() => cluster.close());

/** With which windows the engine was asked so far. */
function windows(): unknown[] {
  return cluster.ollama.requests
    .filter(({ path }) => path === '/api/chat')
    .map(({ body }) => (body as { options?: { num_ctx?: number } }).options?.num_ctx);
}

it('a window that one server has raised is what the other asks for, too, and never a smaller one', async () => {
  const [long, short] = [await one.createSession(), await other.createSession()];
  await other.chat(short, { message: 'Hello' });
  await one.chat(long, { message: 'many words '.repeat(6000) });
  const [before, raised] = windows();
  expect(Number(raised)).toBeGreaterThan(Number(before));
  // A notice is a moment behind.
  await expect
    .poll(async () => {
      await other.chat(short, { message: 'And now?' });
      return windows().at(-1);
    })
    .toBe(raised);
  await one.chat(await one.createSession(), { message: 'Short' });
  expect(windows().at(-1)).toBe(raised);
});
