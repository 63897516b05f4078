// (m) The event loop's delay while large sessions come and go, and while many turns begin at once, beside chats.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import SqliteDriver from 'better-sqlite3';
import { readPlain } from './load-client.ts';
import { createInspector, type Inspected } from './load-inspect.ts';
import { commandOf, type ServerKind, startFakeOllama, startServer, temporaryFolder } from './processes.ts';
import { type Findings, number } from './report.ts';
import type { BenchOptions } from './scenario.ts';
import { seed } from './seed.ts';

const MODEL = 'llama3.2:latest';
/** Chats that run all the time, one after the other in each of so many sessions. */
const CHATS = 4;
/** Turns that begin at once. */
const BURST = 200;
/** What no piece of work may take. */
const MOST_MS = 20;

export async function measureLoopDelay({ server: kind, isQuick, say }: BenchOptions): Promise<Findings> {
  const messages = isQuick ? 10_000 : 100_000;
  const dataDir = temporaryFolder();
  const [[large = ''] = [], chatting = [], burst = []] = await seed(dataDir, [
    { model: MODEL, sessions: 1, messages, hasTurns: true },
    { model: MODEL, sessions: CHATS, messages: 10, hasTurns: true },
    { model: MODEL, sessions: BURST, messages: 2, hasTurns: true },
  ]);
  say(`a session of ${number(messages, 0)} messages is there`);
  const inspector = await createInspector();
  const ollama = await startFakeOllama(30);
  const env = { ...inspector.env, MOCHI_MAX_CONCURRENT_TURNS: '64', MOCHI_MAX_QUEUED_TURNS: '500' };
  const server = await startServer({ kind, dataDir, ollamaUrl: ollama.url, env });
  const inspected = await inspector.connect();
  const path = `${server.url}/api/v1/sessions/${large}`;
  const lines = join(temporaryFolder(), 'large.jsonl');
  const chat = (id: string) =>
    readPlain({
      url: `${server.url}/api/v1/chat/${id}`,
      body: { message: 'What is the capital of France?' },
    });

  const steps: readonly [string, () => Promise<unknown>][] = [
    ['chats alone', () => Promise.all(chatting.map(chat))],
    [`${BURST} turns begin at once`, () => Promise.all(burst.map(chat))],
    ['the tree', () => readAll(`${path}/tree`)],
    ['the session', () => readAll(path)],
    ['an export', async () => writeFileSync(lines, await readAll(`${path}/export?format=jsonl`))],
    ['a fork', () => readAll(`${path}/fork`, 'POST')],
    ['a deletion', () => remove(path, dataDir, large)],
    ['an import beside', () => importBeside(kind, lines, dataDir)],
  ];
  // The first requests of a process compile its code.
  await Promise.all(chatting.map(chat));
  const rows: string[][] = [];
  let worst = 0;
  for (const [name, action] of steps) {
    const { ms, delay, slowest } = await beside(inspected, () => Promise.all(chatting.map(chat)), action);
    worst = Math.max(worst, delay.held);
    rows.push([
      name,
      ...[ms / 1000, delay.p50, delay.p99, delay.max, delay.held, slowest].map((value) => number(value, 1)),
    ]);
    say(`${name}: ${number(delay.held, 1)} ms at most`);
  }
  inspected.close();
  await Promise.all([server.stop(), ollama.stop()]);
  return {
    columns: ['', 'seconds', 'delay p50 ms', 'p99 ms', 'most ms', 'computed at once ms', 'slowest chats ms'],
    rows,
    targets: [
      {
        name: 'most that was computed at once',
        reached: worst,
        limit: MOST_MS,
        bound: 'at most',
        unit: 'ms',
      },
    ],
    notes: [
      `        a session of ${number(messages, 0)} messages; the deletion ends when its rows are gone; ${CHATS} chats go on beside`,
    ],
  };
}

/** Does it while chats go on, and measures both. */
async function beside(inspected: Inspected, chats: () => Promise<unknown>, action: () => Promise<unknown>) {
  const running = { isOver: false };
  let slowest = 0;
  const chatting = (async () => {
    do {
      const startedAt = performance.now();
      await chats();
      slowest = Math.max(slowest, performance.now() - startedAt);
    } while (!running.isOver);
  })();
  await inspected.startLoopDelay();
  const startedAt = performance.now();
  await action();
  const ms = performance.now() - startedAt;
  const delay = await inspected.stopLoopDelay();
  running.isOver = true;
  await chatting;
  return { ms, delay, slowest };
}

/** Until nothing is left of it. */
async function remove(url: string, dataDir: string, sessionId: string): Promise<void> {
  await readAll(url, 'DELETE');
  const reader = new SqliteDriver(join(dataDir, 'mochi.db'), { readonly: true });
  const row = reader.prepare('select 1 from session_rows where id = ?');
  while (row.get(sessionId) !== undefined) await setTimeout(50);
  reader.close();
}

async function importBeside(kind: ServerKind, file: string, dataDir: string): Promise<void> {
  const args = [...commandOf(kind), 'import', file, '--data-dir', dataDir];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [status] = await once(child, 'exit');
  if (status !== 0) throw new Error(`the import ended with ${String(status)}`);
}

async function readAll(url: string, method = 'GET'): Promise<string> {
  const response = await fetch(url, { method });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text.slice(0, 200)}`);
  return text;
}
