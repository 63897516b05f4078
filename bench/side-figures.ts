// What is measured side by side: each figure by side, from alternating rounds.
import { readStream } from './load-client.ts';
import { DelayRecorder, openStream, startEngine } from './load-streams.ts';
import { cpuMicroseconds, residentMegabytes, startFakeOllama } from './processes.ts';
import { inTurn, type Server, type Side, startSides, stopSides } from './sides.ts';
import { median, percentile } from './statistics.ts';

/** By the name of the side; the relay is one. */
export type Figure = Readonly<Record<string, number>>;

export interface Amounts {
  readonly floodRounds: number;
  readonly loneStreams: number;
  readonly bursts: number;
  readonly turns: number;
  readonly idleStreams: number;
  readonly pacedStreams: number;
  readonly pacedSeconds: number;
  readonly pacedRounds: number;
}

const FLOOD = { model: 'flood', tokens: 400, streams: 32, warmUp: 6 };
const BURST = 200;
const TURNS_AT_ONCE = 8;
/** Streams that are opened at once. */
const OPENING = 10;
/** Longer than it takes until a server that is idle gives memory back. */
const IDLE_MS = 14_000;
const SETTLE_MS = 2000;
/** A machine that cannot even open them in this time is measured with those that are open. */
const OPENING_MS = 20_000;

/** Tokens a second. */
export async function throughput(servers: readonly Server[], { floodRounds }: Amounts): Promise<Figure> {
  const { model, tokens, streams, warmUp } = FLOOD;
  const rounds = floodRounds + warmUp;
  const engine = await startFakeOllama();
  const sides = await startSides(servers, { engine, model, tokens, calls: rounds * streams });
  const values = new Values();
  await inTurn(sides, rounds, async ({ name, nextCall }, round) => {
    const calls = Array.from({ length: streams }, nextCall);
    const startedAt = performance.now();
    await Promise.all(calls.map(readStream));
    const seconds = (performance.now() - startedAt) / 1000;
    if (round >= warmUp) values.add(name, (streams * tokens) / seconds);
  });
  await stopSides(sides);
  await engine.stop();
  return values.medians();
}

/** Milliseconds to the first event of one stream, and CPU of a turn of one token, both of servers that are warm. */
export async function loneTurns(
  servers: readonly Server[],
  { loneStreams, turns }: Amounts,
): Promise<{ readonly firstEvent: Figure; readonly turnCpu: Figure }> {
  const warmUp = turns;
  const engine = await startFakeOllama(1);
  const calls = warmUp + turns + loneStreams;
  const sides = await startSides(servers, { engine, model: 'paced', tokens: 1, calls });
  const [first, cpu] = [new Values(), new Values()];
  await inTurn(sides, 1, (side) => runTurns(side, warmUp));
  await inTurn(sides, loneStreams, async ({ name, nextCall }) => {
    first.add(name, (await readStream(nextCall())).firstEvent);
  });
  await inTurn(sides, 5, async (side) => {
    const before = cpuMicroseconds(side.program) ?? Number.NaN;
    await runTurns(side, turns / 5);
    const after = cpuMicroseconds(side.program) ?? Number.NaN;
    cpu.add(side.name, (after - before) / (turns / 5) / 1000);
  });
  await stopSides(sides);
  await engine.stop();
  return { firstEvent: first.medians(), turnCpu: cpu.means() };
}

export async function runTurns({ nextCall }: Pick<Side, 'nextCall'>, count: number): Promise<void> {
  let left = count;
  const next = async () => {
    while (left > 0) {
      left -= 1;
      await readStream(nextCall());
    }
  };
  await Promise.all(Array.from({ length: TURNS_AT_ONCE }, next));
}

/** Milliseconds to the first event of 200 streams that begin in one instant, median. */
export async function simultaneous(servers: readonly Server[], { bursts }: Amounts): Promise<Figure> {
  const tokens = 15;
  const engine = await startFakeOllama(tokens);
  const calls = (bursts + 1) * BURST;
  const sides = await startSides(servers, { engine, model: 'paced', tokens, calls });
  const values = new Values();
  await inTurn(sides, bursts + 1, async ({ name, nextCall }, round) => {
    const times = await Promise.all(Array.from({ length: BURST }, nextCall).map(readStream));
    if (round > 0) values.add(name, median(times.map(({ firstEvent }) => firstEvent)));
  });
  await stopSides(sides);
  await engine.stop();
  return values.medians();
}

/** KiB that a stream takes of which nothing comes, on a server that has been idle for a while, above one without any. */
export async function idleStream(servers: readonly Server[], { idleStreams }: Amounts): Promise<Figure> {
  const engine = await startEngine();
  const figure: Record<string, number> = {};
  const sides = await startSides(servers, { engine, model: 'silent', tokens: 1, calls: idleStreams });
  for (const side of sides) {
    const before = residentMegabytes(side.program) ?? Number.NaN;
    const open = await openAll(side, idleStreams, new DelayRecorder());
    await delay(IDLE_MS);
    const after = residentMegabytes(side.program) ?? Number.NaN;
    figure[side.name] = ((after - before) * 1024) / open.length;
    await Promise.all(open.map((stream) => stream.close()));
  }
  await stopSides(sides);
  await engine.stop();
  return figure;
}

/** Milliseconds from the engine's send to the client's read, p99, with many streams of 30 tokens a second. */
export async function pacedDelay(
  servers: readonly Server[],
  { pacedStreams, pacedSeconds, pacedRounds }: Amounts,
): Promise<Figure> {
  const engine = await startEngine();
  const sides = await startSides(servers, {
    engine,
    model: 'endless',
    tokens: 1,
    calls: pacedRounds * pacedStreams,
  });
  const values = new Values();
  await inTurn(sides, pacedRounds, async (side) => {
    const recorder = new DelayRecorder();
    const open = await openAll(side, pacedStreams, recorder);
    await delay(SETTLE_MS);
    recorder.isOn = true;
    await delay(pacedSeconds * 1000);
    recorder.isOn = false;
    await Promise.all(open.map((stream) => stream.close()));
    values.add(side.name, percentile(recorder.delays, 99));
  });
  await stopSides(sides);
  await engine.stop();
  return values.medians();
}

async function openAll({ nextCall }: Side, count: number, recorder: DelayRecorder) {
  const open: { close(): Promise<void> }[] = [];
  const until = performance.now() + OPENING_MS;
  let left = count;
  const next = async () => {
    while (left > 0 && performance.now() < until) {
      left -= 1;
      open.push(await openStream(nextCall(), recorder));
    }
  };
  await Promise.all(Array.from({ length: OPENING }, next));
  return open;
}

class Values {
  readonly #bySide = new Map<string, number[]>();

  add(side: string, value: number): void {
    this.#bySide.set(side, [...(this.#bySide.get(side) ?? []), value]);
  }

  medians(): Figure {
    return Object.fromEntries([...this.#bySide].map(([side, values]) => [side, median(values)]));
  }

  means(): Figure {
    const mean = (values: readonly number[]) =>
      values.reduce((total, value) => total + value, 0) / values.length;
    return Object.fromEntries([...this.#bySide].map(([side, values]) => [side, mean(values)]));
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
