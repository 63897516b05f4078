// (n) What a call of a tool costs beside calling its function: the worker, and the journal of a turn around it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import type { RequestBody } from '../test/fake-ollama/chat-request.ts';
import { type ChatScript, text, toolCalls } from '../test/fake-ollama/chat-script.ts';
import { startFakeOllama } from '../test/fake-ollama/fake-ollama.ts';
import { HAS_PYTHON, openToolWorld } from '../test/support/tool-groups.ts';
import { type Program, removeFolder, startServer, temporaryFolder } from './processes.ts';
import { type Findings, number } from './report.ts';
import type { BenchOptions } from './scenario.ts';
import { median, percentile } from './statistics.ts';

const MODEL = 'llama3.2:latest';
/** As many as one answer may call. */
const CALLS = 128;
/** Beyond the commits that the promise of the journal needs, one before a call leaves and one with its result. */
const MOST_RATIO = 2;

const NATIVE = `
const inputSchema = { type: 'object', required: ['a', 'b'], properties: { a: { type: 'integer' }, b: { type: 'integer' } } };
export const add = { description: 'Adds.', inputSchema, execute: ({ a, b }) => a + b };
`;
const PYTHON = `
def add_too(a: int, b: int) -> int:
    """Adds."""
    return a + b
`;

/** Milliseconds of each call. */
type Times = readonly number[];

export async function measureToolCalls(options: BenchOptions): Promise<Findings> {
  const rounds = options.isQuick ? 1 : 5;
  const direct = callDirectly();
  const worker = await callInWorker(rounds);
  const commits = commitBare(rounds * CALLS);
  const inTurn = await callInTurns(options, { tool: 'add', rounds });
  const python = HAS_PYTHON ? await callInTurns(options, { tool: 'add_too', rounds }) : null;
  const parts = median(worker) + 2 * median(commits);
  const row = (name: string, times: Times) => [
    name,
    number(median(times), 4),
    number(percentile(times, 99), 3),
    number(median(times) / parts, 2),
  ];
  return {
    columns: ['a call', 'median ms', 'p99 ms', 'to worker and two commits'],
    rows: [
      row('of the function itself', direct),
      row('in a worker, without a turn', worker),
      row('one bare commit, synced', commits),
      row('in a turn: journal, worker, result', inTurn),
      ...(python === null ? [] : [row('the same in Python', python)]),
    ],
    targets: [
      {
        name: 'a call in a turn, to its worker and two bare commits, median',
        reached: median(inTurn) / parts,
        limit: MOST_RATIO,
        bound: 'at most',
        unit: '',
        note: `${number(median(inTurn) - median(direct), 2)} ms more than the function itself; ${inTurn.length} calls`,
      },
    ],
  };
}

function callDirectly(): Times {
  const calls = 100_000;
  const add = ({ a, b }: { a: number; b: number }) => a + b;
  let total = 0;
  const startedAt = performance.now();
  for (let index = 0; index < calls; index += 1) total += add({ a: index, b: total % 7 });
  return [(performance.now() - startedAt) / calls];
}

async function callInWorker(rounds: number): Promise<Times> {
  const world = openToolWorld({ 'sums/index.mjs': NATIVE });
  await world.describe('sums');
  const times: number[] = [];
  for (let call = -20; call < rounds * CALLS; call += 1) {
    const startedAt = performance.now();
    await world.run('sums', 'add', { a: call, b: 1 });
    if (call >= 0) times.push(performance.now() - startedAt);
  }
  await world.close();
  return times;
}

/** As the store commits: into the log, synced. */
function commitBare(count: number): Times {
  const folder = temporaryFolder();
  const driver = new SqliteDriver(join(folder, 'bare.db'));
  driver.pragma('journal_mode = WAL');
  driver.pragma('synchronous = FULL');
  driver.exec('create table rows (id integer primary key, text text)');
  const insert = driver.prepare('insert into rows (text) values (?)');
  const times = Array.from({ length: count }, (_, index) => {
    const startedAt = performance.now();
    insert.run(`row ${index}`);
    return performance.now() - startedAt;
  });
  driver.close();
  removeFolder(folder);
  return times;
}

async function callInTurns(
  { server: kind }: BenchOptions,
  { tool, rounds }: { readonly tool: string; readonly rounds: number },
): Promise<Times> {
  const dataDir = temporaryFolder();
  for (const [file, source] of [
    ['sums/index.mjs', NATIVE],
    ['more_sums/__init__.py', PYTHON],
  ] as const) {
    mkdirSync(join(dataDir, 'tools', file, '..'), { recursive: true });
    writeFileSync(join(dataDir, 'tools', file), source);
  }
  const ollama = await startFakeOllama();
  ollama.setDefault((body) => answer(body, tool));
  const server = await startServer({ kind, dataDir, ollamaUrl: ollama.url });
  const times: number[] = [];
  for (let round = -1; round < rounds; round += 1) {
    const taken = await timeCalls(server, tool);
    // The first one starts the worker.
    if (round >= 0) times.push(...taken);
  }
  await Promise.all([server.stop(), ollama.close()]);
  return times;
}

function answer({ messages = [] }: RequestBody, tool: string): ChatScript {
  if (messages.at(-1)?.role === 'tool') return text('Done.');
  return toolCalls(Array.from({ length: CALLS }, (_, index) => ({ name: tool, args: { a: index, b: 1 } })));
}

/** Between two results there is a whole call. */
async function timeCalls(server: Program, tool: string): Promise<Times> {
  const post = (path: string, body: unknown) =>
    fetch(`${server.url}/api/v1${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const settings = { tools: [tool], execution_policy: 'never_confirm' };
  const created = await post('/sessions', { model: MODEL, tool_settings: settings });
  const { session_id: sessionId } = (await created.json()) as { session_id: string };
  const stream = await post(`/chat/${sessionId}/stream`, { message: 'Add.' });
  const times: number[] = [];
  let last: number | null = null;
  let said = '';
  for await (const chunk of stream.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    said += chunk;
    for (let end = said.indexOf('\n\n'); end >= 0; end = said.indexOf('\n\n')) {
      const isResult = said.slice(0, end).includes('event: tool_result');
      said = said.slice(end + 2);
      if (!isResult) continue;
      const now = performance.now();
      if (last !== null) times.push(now - last);
      last = now;
    }
  }
  if (times.length !== CALLS - 1) throw new Error(`${times.length + 1} of ${CALLS} calls had a result`);
  return times;
}
