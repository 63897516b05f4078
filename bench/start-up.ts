// (e) How soon the server is there, and how much memory it takes then.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { readPlain } from './load-client.ts';
import { removeFolder, residentMegabytes, startServer, temporaryFolder } from './processes.ts';
import { type Findings, number } from './report.ts';
import type { BenchOptions } from './scenario.ts';
import { seed } from './seed.ts';
import { median, range } from './statistics.ts';

const MOST_READY_MS = 1000;
const MOST_MEGABYTES = 120;
/** Nobody listens there: the server starts without an engine. */
const NO_OLLAMA = 'http://127.0.0.1:9';

interface Start {
  readonly readyMs: number;
  readonly aliveMs: number;
  readonly megabytes: number | null;
}

export async function measureStartUp(options: BenchOptions): Promise<Findings> {
  const spawns = options.isQuick ? 3 : 7;
  const [empty, filled]: Start[][] = [[], []];
  const dataDir = temporaryFolder();
  await seed(dataDir, [
    { model: 'llama3.2:latest', sessions: options.isQuick ? 500 : 5000, messages: 16, hasTurns: true },
  ]);
  const size = statSync(join(dataDir, 'mochi.db')).size / 1024 ** 2;
  for (let spawned = 0; spawned < spawns; spawned += 1) {
    const fresh = temporaryFolder();
    empty?.push(await startOnce(options, fresh));
    removeFolder(fresh);
    filled?.push(await startOnce(options, dataDir));
  }
  const starts = empty ?? [];
  const memory = starts.map(({ megabytes }) => megabytes ?? Number.NaN);
  const inMs = (values: readonly number[]) => `spawns ${range(values, (value) => number(value, 0))} ms`;
  const ready = starts.map(({ readyMs }) => readyMs);
  const alive = starts.map(({ aliveMs }) => aliveMs);
  return {
    columns: ['data folder', 'ready line ms', 'first /livez 200 ms', 'resident MB'],
    rows: [toRow('new', starts), toRow(`database of ${number(size, 0)} MB`, filled ?? [])],
    targets: [
      {
        ...atMost('spawn to ready line, median', MOST_READY_MS, ' ms'),
        reached: median(ready),
        note: inMs(ready),
      },
      {
        ...atMost('spawn to first /livez 200, median', MOST_READY_MS, ' ms'),
        reached: median(alive),
        note: inMs(alive),
      },
      { ...atMost('resident memory after start, median', MOST_MEGABYTES, ' MB'), reached: median(memory) },
    ],
  };
}

function atMost(name: string, limit: number, unit: string) {
  return { name, limit, unit, bound: 'at most' as const };
}

async function startOnce({ server: kind }: BenchOptions, dataDir: string): Promise<Start> {
  const server = await startServer({ kind, dataDir, ollamaUrl: NO_OLLAMA });
  await readPlain({ url: `${server.url}/livez` });
  const aliveMs = performance.now() - server.spawnedAt;
  const megabytes = residentMegabytes(server);
  await server.stop();
  return { readyMs: server.readyMs, aliveMs, megabytes };
}

function toRow(name: string, starts: readonly Start[]): string[] {
  return [
    name,
    number(median(starts.map(({ readyMs }) => readyMs)), 0),
    number(median(starts.map(({ aliveMs }) => aliveMs)), 0),
    number(median(starts.map(({ megabytes }) => megabytes ?? Number.NaN)), 0),
  ];
}
