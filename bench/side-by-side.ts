// (r) The server beside the bare relay and, with `--against REF`, beside itself as it was: one table.
import { buildPackage, checkOut, HERE } from './checkout.ts';
import { readPlain } from './load-client.ts';
import { removeFolder, residentMegabytes, startServer, temporaryFolder } from './processes.ts';
import { type Findings, number, type Target } from './report.ts';
import type { BenchOptions } from './scenario.ts';
import {
  type Amounts,
  type Figure,
  idleStream,
  loneTurns,
  pacedDelay,
  simultaneous,
  throughput,
} from './side-figures.ts';
import type { Server } from './sides.ts';
import { median } from './statistics.ts';

const FULL: Amounts = {
  floodRounds: 15,
  loneStreams: 200,
  bursts: 7,
  turns: 1000,
  idleStreams: 500,
  pacedStreams: 500,
  pacedSeconds: 8,
  pacedRounds: 3,
};
const QUICK: Amounts = {
  floodRounds: 3,
  loneStreams: 40,
  bursts: 2,
  turns: 250,
  idleStreams: 200,
  pacedStreams: 500,
  pacedSeconds: 4,
  pacedRounds: 1,
};
const NOW = 'now';
/** Nobody listens there: the server starts without an engine. */
const NO_OLLAMA = 'http://127.0.0.1:9';

interface Row {
  readonly name: string;
  readonly figure: Figure;
  readonly digits: number;
  /** What of it counts, and how much of that is wanted. */
  readonly goal: Omit<Target, 'name' | 'reached'> & { readonly of: (figure: Figure) => number };
}

export async function measureSideBySide(options: BenchOptions): Promise<Findings> {
  const { isQuick, say, against, server: kind } = options;
  const amounts = isQuick ? QUICK : FULL;
  const servers: Server[] = [{ name: NOW, kind: { ...kind, build: 'dist' } }];
  say('building the package');
  buildPackage(HERE);
  if (against !== null) {
    say(`checking out and building ${against}`);
    const { root, commit } = checkOut(against);
    buildPackage(root);
    servers.unshift({ name: commit, kind: { build: 'dist', profileDir: null, root } });
  }
  const rows = await measureRows(servers, amounts, options);
  const names = ['relay', ...servers.map(({ name }) => name)];
  const before = servers.length > 1 ? servers[0]?.name : undefined;
  return {
    columns: ['', ...names, ...(before === undefined ? [] : ['now to before'])],
    rows: rows.map(({ name, figure, digits }) => [
      name,
      ...names.map((side) => number(figure[side] ?? null, digits)),
      ...(before === undefined
        ? []
        : [number((figure[NOW] ?? Number.NaN) / (figure[before] ?? Number.NaN), 2)]),
    ]),
    targets: rows
      .filter(({ goal }) => !Number.isNaN(goal.of({})) || before !== undefined || goal.note === undefined)
      .map(({ name, figure, goal: { of, ...goal } }) => ({ ...goal, name, reached: of(figure) })),
    notes: ['        all servers as packages, in turn with each other; how to read it: bench/README.md'],
  };
}

async function measureRows(
  servers: readonly Server[],
  amounts: Amounts,
  { say, isQuick }: BenchOptions,
): Promise<Row[]> {
  const above = (figure: Figure) => (figure[NOW] ?? Number.NaN) - (figure['relay'] ?? Number.NaN);
  const toRelay = (figure: Figure) => (figure[NOW] ?? Number.NaN) / (figure['relay'] ?? Number.NaN);
  const alone = (figure: Figure) => figure[NOW] ?? Number.NaN;
  const [oldest] = servers;
  const toBefore = (figure: Figure) => alone(figure) / (figure[oldest?.name ?? NOW] ?? Number.NaN);
  const most = (limit: number, unit: string, of: (figure: Figure) => number, note?: string) => ({
    limit,
    unit,
    of,
    bound: 'at most' as const,
    ...(note !== undefined && { note }),
  });
  say('starts');
  const starts = await measureStarts(servers, isQuick ? 3 : 9);
  say('throughput');
  const tokens = await throughput(servers, amounts);
  say('single turns');
  const { firstEvent, turnCpu } = await loneTurns(servers, amounts);
  say('200 streams at once');
  const burst = await simultaneous(servers, amounts);
  say('idle streams');
  const idle = await idleStream(servers, amounts);
  say(`${amounts.pacedStreams} streams of 30 tokens a second`);
  const paced = await pacedDelay(servers, amounts);
  return [
    {
      name: 'throughput, 32 × 400 tokens: tokens/s',
      figure: tokens,
      digits: 0,
      goal: { limit: 0.95, unit: '', of: toRelay, bound: 'at least', note: 'to the relay' },
    },
    {
      name: 'first event of one stream: ms',
      figure: firstEvent,
      digits: 2,
      goal: most(1.2, ' ms', above, 'above the relay'),
    },
    {
      name: 'first event, median of 200 at once: ms',
      figure: burst,
      digits: 0,
      goal: most(40, ' ms', above, 'above the relay'),
    },
    {
      name: 'CPU of a warm turn of one token: ms',
      figure: turnCpu,
      digits: 2,
      goal: most(0.5, '', toBefore, 'to before'),
    },
    { name: 'idle stream: KiB', figure: idle, digits: 1, goal: most(40, ' KiB', alone) },
    { name: 'resident after start: MB', figure: starts.resident, digits: 1, goal: most(85, ' MB', alone) },
    { name: 'start to ready: ms', figure: starts.ready, digits: 0, goal: most(300, ' ms', alone) },
    {
      name: `${amounts.pacedStreams} × 30 tokens/s, p99 of a token: ms`,
      figure: paced,
      digits: 1,
      goal: most(5, ' ms', above, 'above the relay'),
    },
  ];
}

/** Of a new data folder, in turn. */
async function measureStarts(
  servers: readonly Server[],
  rounds: number,
): Promise<{ readonly ready: Figure; readonly resident: Figure }> {
  const ready: Record<string, number[]> = {};
  const resident: Record<string, number[]> = {};
  // The first start of each compiles what later ones read from a cache.
  for (let round = -1; round < rounds; round += 1) {
    for (const { name, kind } of servers) {
      const dataDir = temporaryFolder();
      const server = await startServer({ kind, dataDir, ollamaUrl: NO_OLLAMA });
      await readPlain({ url: `${server.url}/livez` });
      if (round >= 0) {
        (ready[name] ??= []).push(server.readyMs);
        (resident[name] ??= []).push(residentMegabytes(server) ?? Number.NaN);
      }
      await server.stop();
      removeFolder(dataDir);
    }
  }
  return { ready: mediansOf(ready), resident: mediansOf(resident) };
}

function mediansOf(values: Readonly<Record<string, readonly number[]>>): Figure {
  return Object.fromEntries(Object.entries(values).map(([name, each]) => [name, median(each)]));
}
