// kill -9 while a title and a summary are being written: the next start writes them.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { mute } from '../fake-ollama/chat-script.ts';
import { startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { spawnServer } from '../support/spawned-server.ts';
import { isKind, requestsOf, write } from './writer.ts';

const PATIENT = { timeout: 30_000, interval: 50 };

it('a killed server writes after its next start what it was writing', async () => {
  const ollama = await startFakeOllama({ parallel: 1 });
  const dataDir = await mkdtemp(join(tmpdir(), 'mochi-kill-'));
  onTestFinished(async () => {
    await ollama.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  const env = { MOCHI_SUMMARIZATION_ENABLED: 'true', MOCHI_TITLES_ENABLED: 'true' };
  const start = () => spawnServer({ dataDir, ollamaHost: ollama.url, env });

  ollama.setDefault(write({ title: mute }));
  const killed = await start();
  const sessionId = await killed.createSession();
  await killed.chat(sessionId, { message: 'What is the capital of France?' });
  const { updated_at: updatedAt } = (await killed.get(`/sessions/${sessionId}`)).body;
  await ollama.waitForRequest('/api/chat', isKind('title'), 15_000);
  await killed.kill('SIGKILL');
  await ollama.waitForAbort(isKind('title'), 15_000);

  ollama.setDefault(write());
  const server = await start();
  onTestFinished(async () => {
    await server.kill('SIGTERM');
  });
  const readSession = async () => (await server.get(`/sessions?limit=1`)).body.sessions[0];
  await expect
    .poll(readSession, PATIENT)
    .toMatchObject({ title: 'Capital of France', summary: { summary: 'Of 3 messages.' } });
  expect((await readSession()).updated_at).toBe(updatedAt);
  expect(requestsOf(ollama, 'title')).toHaveLength(2);
  expect(ollama.reloads).toEqual({});
}, 60_000);
