// (o) A hundred turns that wait for a person: what they take, as they were begun and after a restart.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RequestBody } from '../test/fake-ollama/chat-request.ts';
import { type ChatScript, text, toolCall } from '../test/fake-ollama/chat-script.ts';
import { startFakeOllama } from '../test/fake-ollama/fake-ollama.ts';
import { readPlain } from './load-client.ts';
import { type Program, residentMegabytes, startServer, temporaryFolder } from './processes.ts';
import { type Findings, number } from './report.ts';
import type { BenchOptions } from './scenario.ts';

const MODEL = 'llama3.2:latest';
const TURNS = 100;
/** As a first look: what a turn holds is a log of a dozen events and its request. */
const MOST_KILOBYTES = 200;
/** Until what was freed was given back. */
const REST_MS = 5000;

const TOOL = `export const ask = { description: 'Asks.', needsApproval: true, execute: () => 'yes' };`;

export async function measureWaitingTurns(options: BenchOptions): Promise<Findings> {
  const dataDir = temporaryFolder();
  mkdirSync(join(dataDir, 'tools', 'asks'), { recursive: true });
  writeFileSync(join(dataDir, 'tools', 'asks', 'index.mjs'), TOOL);
  const ollama = await startFakeOllama();
  ollama.setDefault(answer);
  const start = () => startServer({ kind: options.server, dataDir, ollamaUrl: ollama.url });
  let server = await start();
  // Whatever the first ones make for all.
  for (const { turnId } of await beginTurns(server, TURNS))
    await post(server, `/turns/${turnId}/cancel?wait=true`);
  const before = await residentAtRest(server);
  const turns = await beginTurns(server, TURNS);
  const during = await residentAtRest(server);
  await server.stop();
  server = await start();
  const restarted = await residentAtRest(server);
  await countWaiting(server);
  for (const { turnId } of turns) await post(server, `/turns/${turnId}/cancel?wait=true`);
  await server.stop();
  server = await start();
  const empty = await residentAtRest(server);
  await Promise.all([server.stop(), ollama.close()]);
  const row = (name: string, without: number, having: number) => [
    name,
    number(without, 1),
    number(having, 1),
    number(((having - without) * 1024) / TURNS, 0),
  ];
  return {
    columns: ['turns', 'MB without', `MB with ${TURNS}`, 'kB each'],
    rows: [row('as they were begun', before, during), row('after a restart', empty, restarted)],
    targets: [
      {
        name: 'a waiting turn',
        reached: ((during - before) * 1024) / TURNS,
        limit: MOST_KILOBYTES,
        bound: 'at most',
        unit: ' kB',
        note: 'resident memory: pages, so that a second run differs',
      },
    ],
  };
}

function answer({ messages = [] }: RequestBody): ChatScript {
  return messages.at(-1)?.role === 'tool' ? text('Done.') : toolCall('ask', {});
}

async function post(server: Program, path: string, body: unknown = {}): Promise<Response> {
  return fetch(`${server.url}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/** Turns that wait, with nobody connected. */
async function beginTurns(server: Program, count: number): Promise<{ turnId: string }[]> {
  const settings = { tools: ['ask'] };
  const turns: { turnId: string }[] = [];
  for (let index = 0; index < count; index += 1) {
    const created = await post(server, '/sessions', { model: MODEL, tool_settings: settings });
    const { session_id: sessionId } = (await created.json()) as { session_id: string };
    const answered = await post(server, `/chat/${sessionId}`, { message: 'Ask.', on_approval: 'return' });
    if (answered.status !== 202) throw new Error(`${answered.status}: ${await answered.text()}`);
    const { turn_id: turnId } = (await answered.json()) as { turn_id: string };
    turns.push({ turnId });
  }
  return turns;
}

async function countWaiting(server: Program): Promise<void> {
  const { body } = await readPlain({ url: `${server.url}/api/v1/approvals?limit=1000` });
  const { approvals } = JSON.parse(body.toString()) as { approvals: unknown[] };
  if (approvals.length !== TURNS) throw new Error(`${approvals.length} of ${TURNS} turns wait`);
}

async function residentAtRest(server: Program): Promise<number> {
  await delay(REST_MS);
  return residentMegabytes(server) ?? Number.NaN;
}
