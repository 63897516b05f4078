// (d) The newest 50 sessions of 100 and of 100 000.
import { readPlain } from './load-client.ts';
import { type Program, startFakeOllama, startServer, temporaryFolder } from './processes.ts';
import { type Findings, number } from './report.ts';
import type { BenchOptions } from './scenario.ts';
import { seed } from './seed.ts';
import { median, percentile } from './statistics.ts';

const PAGE = 50;
const MOST_RATIO = 1.5;
const WARM_UP = 50;

interface Listing {
  readonly name: string;
  readonly url: string;
  readonly times: number[];
}

export async function measureSessionList({ server: kind, isQuick, say }: BenchOptions): Promise<Findings> {
  const samples = isQuick ? 100 : 1000;
  const many = isQuick ? 10_000 : 100_000;
  const ollama = await startFakeOllama();
  const start = async (sessions: number) => {
    const dataDir = temporaryFolder();
    const seededAt = performance.now();
    await seed(dataDir, [{ model: 'llama3.2:latest', sessions, messages: 2, hasTurns: false }]);
    say(`${number(sessions, 0)} sessions in ${number((performance.now() - seededAt) / 1000, 1)} s`);
    return startServer({ kind, dataDir, ollamaUrl: ollama.url });
  };
  const [few, full] = [await start(100), await start(many)];
  const first: Listing = { name: 'newest 50 of 100', url: pageUrl(few), times: [] };
  const newest: Listing = { name: `newest 50 of ${number(many, 0)}`, url: pageUrl(full), times: [] };
  const cursor = await middleCursor(full, many / 2);
  const middle: Listing = { name: '50 from the middle', url: `${pageUrl(full)}&cursor=${cursor}`, times: [] };
  const listings = [first, newest, middle];
  for (let sample = -WARM_UP; sample < samples; sample += 1) {
    for (const { url, times } of listings) {
      const { ms } = await readPlain({ url });
      if (sample >= 0) times.push(ms);
    }
  }
  await Promise.all([few, full, ollama].map((program) => program.stop()));

  const base = median(first.times);
  return {
    columns: ['', 'median ms', 'p99 ms', 'to 100'],
    rows: listings.map(({ name, times }) => [
      name,
      number(median(times), 2),
      number(percentile(times, 99), 2),
      number(median(times) / base, 2),
    ]),
    targets: [
      {
        name: `list, ${number(many, 0)} sessions to 100`,
        reached: median(newest.times) / base,
        limit: MOST_RATIO,
        bound: 'at most',
        unit: '',
        note: `${samples} samples each, in turn`,
      },
    ],
  };
}

function pageUrl(server: Program): string {
  return `${server.url}/api/v1/sessions?limit=${PAGE}`;
}

/** Pages through half of the list. */
async function middleCursor(server: Program, until: number): Promise<string> {
  let cursor = '';
  for (let seen = 0; seen < until; seen += 1000) {
    const url = `${server.url}/api/v1/sessions?limit=1000${cursor && `&cursor=${cursor}`}`;
    const { body } = await readPlain({ url });
    cursor = encodeURIComponent(JSON.parse(body.toString()).next_cursor);
  }
  return cursor;
}
