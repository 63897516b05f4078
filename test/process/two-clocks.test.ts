// The machine's clock is set while the server runs: what is stored follows it, what takes time does not.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { requestsOf, titleOf, write } from '../summaries/writer.ts';
import { type SpawnedServer, spawnServer } from '../support/spawned-server.ts';

const HOUR = 3_600_000;
const PATIENT = { timeout: 20_000, interval: 50 };
const PRELOAD = new URL('../support/shift-date.ts', import.meta.url).href;

let ollama: FakeOllama;
let dataDir: string;
let server: SpawnedServer;
let shiftMs = 0;

const shiftFile = () => join(dataDir, 'shift');

async function setClock(ms: number): Promise<void> {
  shiftMs = ms;
  await writeFile(shiftFile(), String(ms));
}

async function start(): Promise<void> {
  server = await spawnServer({
    dataDir,
    ollamaHost: ollama.url,
    env: {
      NODE_OPTIONS: `--import ${PRELOAD}`,
      TEST_DATE_SHIFT: shiftFile(),
      MOCHI_TITLES_ENABLED: 'true',
    },
  });
}

beforeEach(async () => {
  ollama = await startFakeOllama();
  ollama.setDefault(write());
  dataDir = await mkdtemp(join(tmpdir(), 'mochi-clock-'));
  await setClock(0);
  await start();
});
afterEach(async () => {
  await server.kill('SIGTERM');
  await ollama.close();
  await rm(dataDir, { recursive: true, force: true });
});

/** Minutes between a stored time and the clock as it is set. */
const minutesOff = (timestamp: string) =>
  Math.trunc((Date.parse(timestamp) - Date.now() - shiftMs) / 60_000) || 0;

const ask = async (sessionId: string, key: string) =>
  (await server.post(`/chat/${sessionId}`, { message: 'Hello' }, { 'idempotency-key': key })).body.turn_id;

it('25 hours ahead: keys of before are forgotten, keys of now hold, and times are those of the clock', async () => {
  const sessionId = await server.createSession();
  const early = await ask(sessionId, 'early');
  expect(await ask(sessionId, 'early')).toBe(early);

  await setClock(25 * HOUR);
  const late = await ask(sessionId, 'late');
  expect(await ask(sessionId, 'late')).toBe(late);
  expect(await ask(sessionId, 'early')).not.toBe(early);
  expect(requestsOf(ollama, 'chat')).toHaveLength(3);

  const turn = (await server.get(`/turns/${late}`)).body;
  const session = (await server.get(`/sessions/${sessionId}`)).body;
  const messages = await server.messages(sessionId);
  const times = [turn.created_at, turn.finished_at, session.updated_at];
  expect([...times, ...messages.slice(2).map(({ timestamp }) => timestamp)].map(minutesOff)).toEqual(
    Array(3 + 4).fill(0),
  );
  expect(minutesOff(session.created_at)).toBe(-25 * 60);
}, 60_000);

it('set back by two hours: titles are written, and no session goes backwards', async () => {
  const sessionId = await server.createSession();
  const first = await ask(sessionId, 'before');
  await expect.poll(() => titleOf(server, sessionId), PATIENT).toBe('Capital of France');

  await setClock(-2 * HOUR);
  const second = await ask(sessionId, 'after');
  const third = await ask(sessionId, 'last');
  const times = (await server.messages(sessionId)).map(({ timestamp }) => timestamp);
  expect(times.every((time, index) => index === 0 || times[index - 1] <= time)).toBe(true);
  const { turns } = (await server.get(`/sessions/${sessionId}/turns`)).body;
  for (const turn of turns) expect(turn.finished_at >= turn.created_at).toBe(true);
  // The newest first, still.
  expect(turns.map((turn: any) => turn.turn_id)).toEqual([third, second, first]);

  const laterId = await server.createSession();
  await ask(laterId, 'later');
  await expect.poll(() => titleOf(server, laterId), PATIENT).toBe('Capital of France');
  const [question] = await server.messages(laterId);
  expect(minutesOff(question.timestamp)).toBe(0);
}, 60_000);

it('set back by two hours between two starts: what was left to write is written', async () => {
  const sessionId = await server.createSession();
  await ask(sessionId, 'before');
  await server.kill('SIGKILL');
  await setClock(-2 * HOUR);
  await start();
  await expect.poll(() => titleOf(server, sessionId), PATIENT).toBe('Capital of France');
}, 60_000);
