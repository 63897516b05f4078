// (f) Many open streams of 30 tokens a second: what the server adds to each token, and what a stream takes in memory.
import { type Call, readPlain } from './load-client.ts';
import { createInspector, type Inspected } from './load-inspect.ts';
import { DelayRecorder, type OpenStream, openStream, startEngine } from './load-streams.ts';
import {
  cpuMicroseconds,
  type Program,
  residentMegabytes,
  startRelay,
  startServer,
  temporaryFolder,
} from './processes.ts';
import { type Findings, number, type Target } from './report.ts';
import type { BenchOptions } from './scenario.ts';
import { seed } from './seed.ts';
import { percentile } from './statistics.ts';

const MODEL = 'endless:latest';
const MOST_DELAY_MS = 50;
const MOST_KILOBYTES = 40;
const ENGINE_ITSELF = 'engine itself';
/** The level at which the delay has a target. */
const TARGET_STREAMS = 500;
/** Below this, the noise of a process's memory is larger than its streams. */
const LEAST_STREAMS_FOR_MEMORY = 100;
const WARM_UP_STREAMS = 50;
/** Streams that are opened at once. */
const OPENING = 10;
/** A server that cannot even open them in this time is measured with those that are open. */
const OPENING_MS = 45_000;
const SETTLE_MS = 2000;
const PROBE_EVERY_MS = 50;

interface Measured {
  readonly streams: number;
  readonly side: string;
  readonly delays: readonly number[];
  /** Fewer when the rest could not be opened in time. */
  readonly open: number;
  /** Per second of time, of the program under test; 1 is a whole core. */
  readonly cpu: number | null;
  readonly rest: ServerFigures | null;
}

interface ServerFigures {
  readonly livez: readonly number[];
  readonly loop: { readonly p99: number; readonly max: number };
  /** Resident, after a collection of garbage, above the idle server's. */
  readonly residentKilobytes: number;
  /** Tokens that each stream had brought then: the older a stream, the more its turn holds. */
  readonly age: number;
  /** In use, on the heap and outside. */
  readonly liveKilobytes: number;
  /** What each token of a stream adds to that while the stream is open. */
  readonly bytesPerToken: number;
  readonly closedMs: number;
}

const LEVELS = [1, 100, 500, 1000];
const QUICK_LEVELS = [1, 100];

export async function measureLoad(options: BenchOptions): Promise<Findings> {
  const { server: kind, isQuick, say } = options;
  const levels = options.streams ?? (isQuick ? QUICK_LEVELS : LEVELS);
  const seconds = options.seconds ?? (isQuick ? 4 : 8);
  const engine = await startEngine();
  const measured: Measured[] = [];
  for (const streams of levels) {
    const load = { streams, seconds, engine };
    say(`${streams} streams`);
    measured.push(
      await measurePlain(load, ENGINE_ITSELF, engine, () => engineCall(`${engine.url}/api/chat`)),
    );
    const relay = await startRelay(engine.url, 'events');
    measured.push(await measurePlain(load, 'bare relay', relay, () => engineCall(relay.url)));
    await relay.stop();
    measured.push(await measureServer(load, kind));
  }
  await engine.stop();
  return toFindings(measured, seconds);
}

interface Load {
  readonly streams: number;
  readonly seconds: number;
  readonly engine: Program;
}

async function measurePlain(load: Load, side: string, program: Program, call: () => Call): Promise<Measured> {
  const recorder = new DelayRecorder();
  const open = await openAll(load.streams, call, recorder);
  await delay(SETTLE_MS);
  const cpu = await recordFor(load.seconds, program, recorder);
  await Promise.all(open.map((stream) => stream.close()));
  return { streams: load.streams, open: open.length, side, delays: recorder.delays, cpu, rest: null };
}

async function measureServer(
  { streams, seconds, engine }: Load,
  kind: BenchOptions['server'],
): Promise<Measured> {
  const dataDir = temporaryFolder();
  const [ids = []] = await seed(dataDir, [
    { model: MODEL, sessions: streams + WARM_UP_STREAMS, messages: 0, hasTurns: false },
  ]);
  const inspector = await createInspector();
  const env = { ...inspector.env, MOCHI_MAX_CONCURRENT_TURNS: '10000' };
  const server = await startServer({ kind, dataDir, ollamaUrl: engine.url, env });
  const inspected = await inspector.connect();
  const call = () => ({
    url: `${server.url}/api/v1/chat/${ids.pop()}/stream`,
    body: { message: 'Tell me something.' },
  });
  const recorder = new DelayRecorder();
  const warm = await openAll(WARM_UP_STREAMS, call, recorder);
  await delay(1000);
  await Promise.all(warm.map((stream) => stream.close()));
  await delay(1000);
  const idle = await memoryOf(server, inspected);

  recorder.tokens = 0;
  const open = await openAll(streams, call, recorder);
  await delay(SETTLE_MS);
  const age = recorder.tokens / open.length;
  const before = await memoryOf(server, inspected);
  // What waited for the collection of garbage comes first.
  await delay(SETTLE_MS);
  const livez = startProbe(`${server.url}/livez`);
  await inspected.startLoopDelay();
  const cpu = await recordFor(seconds, server, recorder);
  const loop = await inspected.stopLoopDelay();
  const probed = await livez.stop();
  const after = await memoryOf(server, inspected);
  const closedAt = performance.now();
  await Promise.all(open.map((stream) => stream.close()));
  // It answers only when it has dealt with every one of them.
  await readPlain({ url: `${server.url}/livez` });
  const closedMs = performance.now() - closedAt;
  inspected.close();
  await server.stop();
  const rest = {
    livez: probed,
    loop,
    age,
    residentKilobytes: (before.resident - idle.resident) / 1024 / open.length,
    liveKilobytes: (before.live - idle.live) / 1024 / open.length,
    bytesPerToken: (after.live - before.live) / open.length / (30 * seconds),
    closedMs,
  };
  return { streams, open: open.length, side: 'server', delays: recorder.delays, cpu, rest };
}

async function memoryOf(server: Program, inspected: Inspected): Promise<{ live: number; resident: number }> {
  const live = await inspected.collect();
  return { live, resident: (residentMegabytes(server) ?? Number.NaN) * 1024 ** 2 };
}

function engineCall(url: string): Call {
  return {
    url,
    body: { model: MODEL, messages: [{ role: 'user', content: 'Tell me something.' }], stream: true },
  };
}

/** A few at a time, so that their tokens do not all come at the same instant. */
async function openAll(streams: number, call: () => Call, recorder: DelayRecorder): Promise<OpenStream[]> {
  const open: OpenStream[] = [];
  const until = performance.now() + OPENING_MS;
  let left = streams;
  const next = async () => {
    while (left > 0 && performance.now() < until) {
      left -= 1;
      open.push(await openStream(call(), recorder));
    }
  };
  await Promise.all(Array.from({ length: Math.min(OPENING, streams) }, next));
  return open;
}

/** @returns the CPU time that the program took, per time */
async function recordFor(seconds: number, program: Program, recorder: DelayRecorder): Promise<number | null> {
  const [before, startedAt] = [cpuMicroseconds(program), performance.now()];
  recorder.isOn = true;
  await delay(seconds * 1000);
  recorder.isOn = false;
  const [after, endedAt] = [cpuMicroseconds(program), performance.now()];
  return before === null || after === null ? null : (after - before) / 1000 / (endedAt - startedAt);
}

/** Asks again and again: how long anybody waits for the server's attention. */
function startProbe(url: string): { stop(): Promise<number[]> } {
  const times: number[] = [];
  const probes = new AbortController();
  const probing = (async () => {
    while (!probes.signal.aborted) {
      times.push((await readPlain({ url })).ms);
      await delay(PROBE_EVERY_MS);
    }
  })();
  return {
    async stop() {
      probes.abort();
      await probing;
      return times;
    },
  };
}

function toFindings(measured: readonly Measured[], seconds: number): Findings {
  return {
    columns: [
      'streams, through',
      'p50 ms',
      'p99 ms',
      'max ms',
      'tokens/s',
      'CPU',
      '/livez p99 ms',
      'loop p99 ms',
      'kB/stream',
      'live kB',
      'B/token',
    ],
    rows: measured.map((each) => toRow(each, seconds)),
    targets: measured.flatMap((each) => toTargets(each, measured)),
    notes: [
      "        delays from the engine's send to the client's read; the client's own share is in all three",
      '        kB/stream: resident above idle, a few seconds old, garbage collected; live: in use of it; B/token: what each further token adds while the stream is open',
    ],
  };
}

function toRow({ streams, open, side, delays, cpu, rest }: Measured, seconds: number): string[] {
  const [p50, p99, max] = [percentile(delays, 50), percentile(delays, 99), percentile(delays, 100)];
  const hasMemory = rest !== null && streams >= LEAST_STREAMS_FOR_MEMORY;
  return [
    `${open < streams ? `${number(open, 0)} of ` : ''}${number(streams, 0)}, ${side}`,
    ...[p50, p99, max].map((ms) => number(ms, 1)),
    number(delays.length / seconds, 0),
    cpu === null ? '–' : `${number(cpu * 100, 0)} %`,
    number(rest && percentile(rest.livez, 99), 1),
    number(rest && rest.loop.p99, 1),
    number(hasMemory ? rest.residentKilobytes : null, 1),
    number(hasMemory ? rest.liveKilobytes : null, 1),
    number(hasMemory ? rest.bytesPerToken : null, 0),
  ];
}

function toTargets({ streams, delays, rest }: Measured, all: readonly Measured[]): Target[] {
  if (rest === null || streams < TARGET_STREAMS) return [];
  const direct = all.find((other) => other.streams === streams && other.side === ENGINE_ITSELF);
  const added = percentile(delays, 99) - percentile(direct?.delays ?? [], 99);
  const memory: Target = {
    name: `resident memory of a stream, ${streams} streams`,
    reached: rest.residentKilobytes,
    limit: MOST_KILOBYTES,
    bound: 'at most',
    unit: ' kB',
    note: `after ${number(rest.age, 0)} tokens of each; all closed after ${number(rest.closedMs, 0)} ms`,
  };
  if (streams > TARGET_STREAMS) return [memory];
  const name = `p99 delay of a token, added to the engine's own, ${streams} streams`;
  return [{ name, reached: added, limit: MOST_DELAY_MS, bound: 'at most', unit: ' ms' }, memory];
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
