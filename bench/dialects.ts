// (s) Chat Completions: what passes, beside the bare relay, and what `auto` costs on a long history.
import { readPlain, readStream, type StreamCall } from './load-client.ts';
import { type Program, startFakeOllama, startRelay, startServer, temporaryFolder } from './processes.ts';
import { type Findings, number } from './report.ts';
import type { BenchOptions } from './scenario.ts';
import { median, quotients, range } from './statistics.ts';
import { relayCall } from './targets.ts';

const STREAMS = 32;
const TOKENS = 400;
const WARM_UP_ROUNDS = 8;
/** A lone stream is short: only its beginning counts. */
const LONE_TOKENS = 3;
const LONE_WARM_UP = 30;
const MESSAGES = 10_000;
const HISTORY_WARM_UP = 3;

interface Pair {
  readonly server: number[];
  readonly other: number[];
}

export async function measureDialects(options: BenchOptions): Promise<Findings> {
  const flood = await measureFlood(options);
  const first = await measureFirst(options);
  const history = await measureHistory(options);
  const ratios = quotients(flood.server, flood.other);
  const allowed = 1.2 * median(first.other) + 1;
  return {
    columns: ['', 'Chat Completions', 'compared with', 'difference'],
    rows: [
      toRow('tokens/s, relay', flood, 0),
      toRow('first token ms, relay', first, 2),
      toRow(`chat on ${number(MESSAGES, 0)} messages ms, auto to named`, history, 1),
    ],
    targets: [
      {
        name: 'passing chat, throughput to bare relay',
        reached: median(ratios),
        limit: 0.9,
        bound: 'at least',
        unit: '',
        note: `rounds ${range(ratios, (ratio) => number(ratio, 2))}`,
      },
      {
        name: 'passing chat, first token, median',
        reached: median(first.server),
        limit: allowed,
        bound: 'at most',
        unit: ' ms',
        note: '1.2 × the relay + 1 ms',
      },
      {
        name: 'auto above a named session',
        reached: median(history.server) - median(history.other),
        limit: 5,
        bound: 'at most',
        unit: ' ms',
        note: `${history.server.length} samples each, in turn`,
      },
    ],
  };
}

/** The same question as a client of OpenAI's would put it. */
function passingCall(
  server: Program,
  { model, tokens }: { readonly model: string; readonly tokens: number },
) {
  return {
    url: `${server.url}/v1/chat/completions`,
    body: { model, messages: [{ role: 'user', content: 'Tell me something.' }], stream: true },
    frames: tokens,
    frameEnd: '\n\n',
    lastMark: '[DONE]',
  } as const satisfies StreamCall;
}

/** Tokens a second, round by round. */
async function measureFlood({ server: kind, isQuick }: BenchOptions): Promise<Pair> {
  const rounds = isQuick ? 5 : 21;
  const ollama = await startFakeOllama();
  const [server, relay] = await Promise.all([
    startServer({ kind, dataDir: temporaryFolder(), ollamaUrl: ollama.url }),
    startRelay(ollama.url, 'events'),
  ]);
  const pair: Pair = { server: [], other: [] };
  const run = async (name: keyof Pair, call: StreamCall, round: number) => {
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: STREAMS }, () => readStream(call)));
    const seconds = (performance.now() - startedAt) / 1000;
    if (round >= 0) pair[name].push((STREAMS * TOKENS) / seconds);
  };
  const calls = {
    server: passingCall(server, { model: 'flood', tokens: TOKENS }),
    other: relayCall(relay, 'flood', TOKENS),
  };
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    const order = round % 2 === 0 ? (['server', 'other'] as const) : (['other', 'server'] as const);
    for (const name of order) await run(name, calls[name], round);
  }
  await Promise.all([server, relay, ollama].map((program) => program.stop()));
  return pair;
}

/** Milliseconds to the first byte, which waits for the first token on either side. */
async function measureFirst({ server: kind, isQuick }: BenchOptions): Promise<Pair> {
  const samples = isQuick ? 60 : 300;
  const ollama = await startFakeOllama(LONE_TOKENS);
  const [server, relay] = await Promise.all([
    startServer({ kind, dataDir: temporaryFolder(), ollamaUrl: ollama.url }),
    startRelay(ollama.url, 'events'),
  ]);
  const pair: Pair = { server: [], other: [] };
  for (let sample = -LONE_WARM_UP; sample < samples; sample += 1) {
    const viaRelay = await readStream(relayCall(relay, 'paced', LONE_TOKENS));
    const viaServer = await readStream(passingCall(server, { model: 'paced', tokens: LONE_TOKENS }));
    if (sample < 0) continue;
    pair.other.push(viaRelay.firstEvent);
    pair.server.push(viaServer.firstEvent);
  }
  await Promise.all([server, relay, ollama].map((program) => program.stop()));
  return pair;
}

/** Milliseconds of a plain answer to a history that is there, found by itself and by the name of its session. */
async function measureHistory({ server: kind, isQuick, say }: BenchOptions): Promise<Pair> {
  const samples = isQuick ? 10 : 60;
  const ollama = await startFakeOllama();
  // The same prompt for both: the newest that fit.
  const env = { MOCHI_MAX_CONTEXT_WINDOW: '8192' };
  const server = await startServer({ kind, dataDir: temporaryFolder(), ollamaUrl: ollama.url, env });
  const messages = Array.from({ length: MESSAGES - 1 }, (_, at) => ({
    role: at % 2 === 0 ? 'user' : 'assistant',
    content: `Message ${at} of a conversation that goes on and on.`,
  }));
  const chat = (session: string, said: readonly object[]) =>
    readPlain({
      url: `${server.url}/s/${session}/v1/chat/completions`,
      body: { model: 'llama3.2', messages: said },
    });
  const { body } = await chat('bench', messages);
  const known = [...messages, JSON.parse(body.toString()).choices[0].message];
  say(`a history of ${known.length} messages is there`);
  const pair: Pair = { server: [], other: [] };
  for (let sample = -HISTORY_WARM_UP; sample < samples; sample += 1) {
    const named = await chat('bench', [...known, { role: 'user', content: `Named ${sample}?` }]);
    const found = await chat('auto', [...known, { role: 'user', content: `Found ${sample}?` }]);
    if (sample < 0) continue;
    pair.other.push(named.ms);
    pair.server.push(found.ms);
  }
  await Promise.all([server.stop(), ollama.stop()]);
  return pair;
}

function toRow(name: string, { server, other }: Pair, digits: number): string[] {
  const [ours, theirs] = [median(server), median(other)];
  return [name, number(ours, digits), number(theirs, digits), number(ours - theirs, digits)];
}
