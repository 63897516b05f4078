// kill -9 while a turn waits for a person: the next process goes on with it, once.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { text, toolCalls } from '../fake-ollama/chat-script.ts';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { askedOf, decide } from '../support/deciding.ts';
import { spawnServer } from '../support/spawned-server.ts';
import { isNamed, readUntil, untilIdle, watchTurn } from '../turns/watching.ts';

const TOOL = `
import { appendFileSync } from 'node:fs';
export const note = { description: 'Notes a word.',
  inputSchema: { type: 'object', properties: { word: { type: 'string' } }, required: ['word'] },
  execute: ({ word }) => { appendFileSync('notes', word + '\\n'); return 'noted ' + word; } };`;

let dataDir: string;
let ollama: FakeOllama;
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'mochi-waiting-'));
  mkdirSync(join(dataDir, 'tools', 'notes'), { recursive: true });
  writeFileSync(join(dataDir, 'tools', 'notes', 'index.mjs'), TOOL);
  ollama = await startFakeOllama();
});
afterEach(async () => {
  await ollama.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const notes = () => {
  const file = join(dataDir, 'notes');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
};

it('the question survives, also another kill; each call runs once, the message behind comes after it', async () => {
  ollama.reply(
    toolCalls(['one', 'two', 'three'].map((word) => ({ name: 'note', args: { word }, id: `call_${word}` }))),
    text('Noted.'),
    text('Later.'),
  );
  const start = () => spawnServer({ dataDir, ollamaHost: ollama.url });
  let server = await start();
  const sessionId = await server.createSession({
    tool_settings: { tools: ['note'], execution_policy: 'always_confirm' },
  });
  const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Note it.' });
  const seen = await readUntil(stream, isNamed('tool_call_confirmation_required'));
  const turnId = stream.headers.get('x-turn-id') ?? '';
  const behind = await server.stream(`/chat/${sessionId}/stream`, { message: 'And then?', on_busy: 'queue' });
  await behind.events.next();
  const [one] = await askedOf(server, sessionId, 3);
  await server.kill('SIGKILL');

  server = await start();
  let last = Number(seen.at(-1)?.id);
  const ids = new Set(seen.map(({ id }) => id));
  for (const left of [3, 2]) {
    expect((await server.get(`/turns/${turnId}`)).body).toMatchObject({ state: 'waiting' });
    const watch = await watchTurn(server, turnId, { lastEventId: last });
    if (left === 3) await decide(server, one.confirmation_id, { decision: 'approve' });
    const told = await readUntil(watch, ({ data }) => data.approvals?.[0].call_index === 1);
    expect(told[0]?.event).toBe('snapshot');
    // No number is told twice.
    expect(told.filter(({ id }) => ids.has(id))).toEqual([]);
    for (const { id } of told) ids.add(id);
    last = Number(told.at(-1)?.id);
    await server.kill('SIGKILL');
    server = await start();
  }
  const pending = await askedOf(server, sessionId, 2);
  for (const { confirmation_id: id } of pending) await decide(server, id, { decision: 'approve' });
  await untilIdle(server, sessionId);
  await expect
    .poll(async () => (await server.messages(sessionId)).map(({ content }) => content))
    .toEqual(['Note it.', '', 'noted one', 'noted two', 'noted three', 'Noted.', 'And then?']);
  expect(notes()).toEqual(['one', 'two', 'three']);
  const states = (await server.get(`/sessions/${sessionId}/turns`)).body.turns.map(({ state }: any) => state);
  expect(states).toEqual(['interrupted', 'completed']);
  await server.kill('SIGTERM');
}, 60_000);
