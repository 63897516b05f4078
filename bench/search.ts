// (i) Search in 100 000 messages of a kilobyte: words that are rare, common or everywhere, beginnings, phrases.
import { setTimeout } from 'node:timers/promises';
import { readPlain } from './load-client.ts';
import { type Program, startFakeOllama, startServer, temporaryFolder } from './processes.ts';
import { createProse, type Prose } from './prose.ts';
import { type Findings, number } from './report.ts';
import type { BenchOptions } from './scenario.ts';
import { seed } from './seed.ts';
import { median, percentile } from './statistics.ts';

const MESSAGES_PER_SESSION = 20;
const WARM_UP = 3;
/** At most so many milliseconds at the 95th percentile. */
const FEW = 15;
const MANY = 25;

export interface Question {
  readonly name: string;
  readonly path: string;
  readonly limit: number;
}

export async function measureSearch({ server: kind, isQuick, say }: BenchOptions): Promise<Findings> {
  const messages = isQuick ? 10_000 : 100_000;
  const samples = isQuick ? 20 : 100;
  const prose = createProse();
  const dataDir = temporaryFolder();
  const seededAt = performance.now();
  await seed(dataDir, [
    {
      model: 'llama3.2:latest',
      sessions: messages / MESSAGES_PER_SESSION,
      messages: MESSAGES_PER_SESSION,
      hasTurns: false,
      write: () => prose.write(1000),
    },
  ]);
  say(`${number(messages, 0)} messages in ${number((performance.now() - seededAt) / 1000, 1)} s`);
  const ollama = await startFakeOllama();
  const server = await startServer({ kind, dataDir, ollamaUrl: ollama.url });
  const rows = [];
  const targets = [];
  for (const { name, path, limit } of questionsOf(prose)) {
    const times: number[] = [];
    const stalls: number[] = [];
    let found = 0;
    for (let sample = -WARM_UP; sample < samples; sample += 1) {
      const [{ ms, body }, stall] = await Promise.all([
        readPlain({ url: `${server.url}${path}` }),
        probe(server),
      ]);
      if (sample < 0) continue;
      times.push(ms);
      stalls.push(stall);
      const answer = JSON.parse(body.toString());
      found = (answer.results ?? answer.sessions).length;
    }
    const p95 = percentile(times, 95);
    rows.push([
      name,
      number(found, 0),
      number(median(times), 1),
      number(p95, 1),
      number(percentile(stalls, 95), 1),
    ]);
    targets.push({
      name,
      reached: p95,
      limit,
      bound: 'at most',
      unit: ' ms',
      note: `p95 of ${samples}`,
    } as const);
  }
  await Promise.all([server, ollama].map((program) => program.stop()));
  return { columns: ['', 'on the page', 'p50 ms', 'p95 ms', 'others p95 ms'], rows, targets };
}

/** How long somebody else waits who comes a moment later. */
async function probe(server: Program): Promise<number> {
  await setTimeout(1);
  return (await readPlain({ url: `${server.url}/livez` })).ms;
}

export function questionsOf({ words }: Prose): Question[] {
  const ask = (name: string, text: string, limit: number, list = 'search'): Question => ({
    name,
    path: `/api/v1/${list}?q=${encodeURIComponent(text)}`,
    limit,
  });
  const [most = '', second = ''] = words;
  const medium = words[Math.floor(words.length / 100)] ?? '';
  const rare = words.at(-2) ?? '';
  return [
    ask('a rare word', `"${rare}"`, FEW),
    ask('a medium word', `"${medium}"`, FEW),
    ask('a word that is everywhere', `"${most}"`, MANY),
    ask('two words that are everywhere', `${most} "${second}"`, MANY),
    ask('a phrase of these', `"${most} ${second}"`, MANY),
    ask('the beginning of a word', medium.slice(0, 3), MANY),
    ask('no such word', 'xyzzy', FEW),
    ask('sessions with a rare word', `"${rare}"`, FEW, 'sessions'),
    ask('sessions with a medium word', `"${medium}"`, MANY, 'sessions'),
    ask('sessions with a word that is everywhere', `"${most}"`, MANY, 'sessions'),
  ];
}
