// (b) What the server adds to the first event and the first token, with 1 and with 200 paced streams.
import { readStream, type StreamTimes } from './load-client.ts';
import { runBurst, runSpread, startContest } from './paced-streams.ts';
import { type Findings, number } from './report.ts';
import type { BenchOptions } from './scenario.ts';
import { median, percentile, sum } from './statistics.ts';

const STREAMS = 200;
/** A lone stream is short: only its beginning counts. */
const LONE_TOKENS = 3;
const WARM_UP = 30;
const MOST_ADDED_MS = 2;
/** Above the default, so that none of them waits for a slot. */
const MAX_TURNS = String(2 * STREAMS);

interface Pair {
  readonly server: StreamTimes[];
  readonly relay: StreamTimes[];
}

interface Many {
  readonly spread: Pair;
  readonly burst: Pair;
  readonly serverCpu: number | null;
  readonly relayCpu: number | null;
}

export async function measureFirstToken(options: BenchOptions): Promise<Findings> {
  const lone = await measureLone(options);
  const many = await measureMany(options);
  const { serverCpu, relayCpu } = many;
  return {
    columns: ['streams', 'what', 'relay p50', 'p99', 'server p50', 'p99', 'added p50', 'added p99'],
    rows: [
      ...toRows('1', lone),
      ...toRows(`${STREAMS}, spread`, many.spread),
      ...toRows(`${STREAMS} at once`, many.burst),
    ],
    targets: [
      {
        name: 'added to the first content_delta, one stream, median',
        reached: median(lone.server.map(firstDelta)) - median(lone.relay.map(firstDelta)),
        limit: MOST_ADDED_MS,
        bound: 'at most',
        unit: ' ms',
        note: `${lone.server.length} samples each, in turn`,
      },
    ],
    notes: [
      "        in milliseconds; the relay's first event is its first token",
      `        CPU µs per token, ${STREAMS} spread: server ${number(serverCpu, 0)}, relay ${number(relayCpu, 0)}` +
        `; with MOCHI_MAX_CONCURRENT_TURNS=${MAX_TURNS}`,
    ],
  };
}

/** One stream at a time, in turn on either side. */
async function measureLone({ server: kind, isQuick }: BenchOptions): Promise<Pair> {
  const samples = isQuick ? 30 : 200;
  const contest = await startContest({ kind, tokens: LONE_TOKENS, sessions: samples + WARM_UP, env: {} });
  const pair: Pair = { server: [], relay: [] };
  for (let sample = -WARM_UP; sample < samples; sample += 1) {
    const viaRelay = await readStream(contest.relay.nextCall());
    const viaServer = await readStream(contest.server.nextCall());
    if (sample < 0) continue;
    pair.relay.push(viaRelay);
    pair.server.push(viaServer);
  }
  await contest.stop();
  return pair;
}

async function measureMany({ server: kind, isQuick }: BenchOptions): Promise<Many> {
  const tokens = isQuick ? 60 : 90;
  const rounds = isQuick ? 1 : 2;
  const env = { MOCHI_MAX_CONCURRENT_TURNS: MAX_TURNS };
  const contest = await startContest({ kind, tokens, env, sessions: STREAMS * (4 * rounds + 1) });
  // Both sides are warm before anything counts.
  await runBurst(contest.server, STREAMS);
  await runBurst(contest.relay, STREAMS);
  const spread: Pair = { server: [], relay: [] };
  const burst: Pair = { server: [], relay: [] };
  const cpu: { server: (number | null)[]; relay: (number | null)[] } = { server: [], relay: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const name of ['relay', 'server'] as const) {
      const ran = await runSpread(contest[name], { streams: STREAMS, tokens });
      spread[name].push(...ran.times);
      cpu[name].push(ran.cpu);
      burst[name].push(...(await runBurst(contest[name], STREAMS)));
    }
  }
  await contest.stop();
  const counted = 3 * STREAMS * tokens * rounds;
  return {
    spread,
    burst,
    serverCpu: perToken(cpu.server, counted),
    relayCpu: perToken(cpu.relay, counted),
  };
}

function perToken(rounds: readonly (number | null)[], tokens: number): number | null {
  const known = rounds.filter((cpu) => cpu !== null);
  return known.length < rounds.length ? null : sum(known) / tokens;
}

function toRows(streams: string, { server, relay }: Pair): string[][] {
  const row = (what: string, read: (times: StreamTimes) => number) => {
    const [viaRelay, viaServer] = [relay.map(read), server.map(read)];
    const [relay50, relay99] = [median(viaRelay), percentile(viaRelay, 99)];
    const [server50, server99] = [median(viaServer), percentile(viaServer, 99)];
    const times = [relay50, relay99, server50, server99, server50 - relay50, server99 - relay99];
    return [streams, what, ...times.map((time) => number(time, 2))];
  };
  return [row('first event', firstEvent), row('first content_delta', firstDelta)];
}

function firstEvent(times: StreamTimes): number {
  return times.firstEvent;
}

function firstDelta(times: StreamTimes): number {
  return times.firstDelta;
}
