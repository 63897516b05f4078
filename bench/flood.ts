// (a) 32 streams of 400 undelayed tokens, through the server, a bare relay and a pipe.
import { readStream, type StreamCall } from './load-client.ts';
import {
  cpuMicroseconds,
  type Program,
  residentMegabytes,
  startFakeOllama,
  startRelay,
  startServer,
  temporaryFolder,
} from './processes.ts';
import { type Findings, number } from './report.ts';
import type { BenchOptions } from './scenario.ts';
import { seed } from './seed.ts';
import { median, quotients, range, sum } from './statistics.ts';
import { pipeCall, relayCall, serverCall } from './targets.ts';

const STREAMS = 32;
const TOKENS = 400;
const MODEL = 'flood';
/** Until then the server compiles more than it relays. */
const WARM_UP_ROUNDS = 8;
const LEAST_RATIO = 0.6;

interface Contender {
  readonly name: string;
  readonly program: Program;
  /** The calls of the next round. */
  readonly calls: () => StreamCall[];
  readonly tokensPerSecond: number[];
  readonly cpuPerToken: (number | null)[];
  readonly clientCpuPerToken: number[];
}

export async function measureFlood(options: BenchOptions): Promise<Findings> {
  const rounds = options.isQuick ? 3 : 21;
  const dataDir = temporaryFolder();
  const sessionCount = STREAMS * (rounds + WARM_UP_ROUNDS);
  const [sessions = []] = await seed(dataDir, [
    { model: `${MODEL}:latest`, sessions: sessionCount, messages: 0, hasTurns: false },
  ]);
  const ollama = await startFakeOllama();
  const [server, relay, pipe] = await Promise.all([
    startServer({ kind: options.server, dataDir, ollamaUrl: ollama.url }),
    startRelay(ollama.url, 'events'),
    startRelay(ollama.url, 'bytes'),
  ]);
  const same = (call: StreamCall) => () => Array.from({ length: STREAMS }, () => call);
  const viaServer = contender('server', server, () =>
    sessions.splice(0, STREAMS).map((id) => serverCall(server, id, TOKENS)),
  );
  const viaRelay = contender('bare relay', relay, same(relayCall(relay, MODEL, TOKENS)));
  const viaPipe = contender('byte pipe', pipe, same(pipeCall(pipe, MODEL, TOKENS)));
  const contenders = [viaServer, viaRelay, viaPipe];

  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    // Another one begins each round, so that none always has the same neighbour.
    const first = (round + WARM_UP_ROUNDS) % contenders.length;
    const order = [...contenders.slice(first), ...contenders.slice(0, first)];
    for (const each of order) await runRound(each, round >= 0);
  }
  const memory = residentMegabytes(server);
  await Promise.all([server, relay, pipe, ollama].map((program) => program.stop()));

  const ratios = quotients(viaServer.tokensPerSecond, viaRelay.tokensPerSecond);
  return {
    columns: ['', 'tokens/s', 'to relay', 'CPU µs/token', 'to relay', 'client CPU µs/token'],
    rows: contenders.map((each) => toRow(each, viaRelay)),
    targets: [
      {
        name: 'throughput, server to bare relay',
        reached: median(ratios),
        limit: LEAST_RATIO,
        bound: 'at least',
        unit: '',
        note: `rounds ${range(ratios, (ratio) => number(ratio, 2))}`,
      },
    ],
    notes: [`        resident memory of the server afterwards: ${number(memory, 0)} MB`],
  };
}

function contender(name: string, program: Program, calls: () => StreamCall[]): Contender {
  return { name, program, calls, tokensPerSecond: [], cpuPerToken: [], clientCpuPerToken: [] };
}

async function runRound(each: Contender, isMeasured: boolean): Promise<void> {
  const calls = each.calls();
  const cpuBefore = cpuMicroseconds(each.program);
  const clientBefore = process.cpuUsage();
  const startedAt = performance.now();
  await Promise.all(calls.map(readStream));
  const seconds = (performance.now() - startedAt) / 1000;
  const client = process.cpuUsage(clientBefore);
  const cpuAfter = cpuMicroseconds(each.program);
  if (!isMeasured) return;
  const tokens = calls.length * TOKENS;
  each.tokensPerSecond.push(tokens / seconds);
  each.cpuPerToken.push(cpuBefore === null || cpuAfter === null ? null : (cpuAfter - cpuBefore) / tokens);
  each.clientCpuPerToken.push((client.user + client.system) / tokens);
}

function toRow(each: Contender, relay: Contender): string[] {
  const cpu = cpuOf(each);
  const relayCpu = cpuOf(relay);
  return [
    each.name,
    number(median(each.tokensPerSecond), 0),
    number(median(quotients(each.tokensPerSecond, relay.tokensPerSecond)), 2),
    number(cpu, 1),
    number(cpu === null || relayCpu === null ? null : cpu / relayCpu, 2),
    number(median(each.clientCpuPerToken), 1),
  ];
}

/** Over all rounds together: the system counts in steps that are long for one round. */
function cpuOf(each: Contender): number | null {
  const known = each.cpuPerToken.filter((cpu) => cpu !== null);
  return known.length === 0 ? null : sum(known) / known.length;
}
