// (u) The same searches in the same 20 000 messages of a kilobyte, on SQLite and on PostgreSQL, one beside the other.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { openPostgres } from '../src/store/dialect/postgres/open.ts';
import { moveTo } from '../src/store/move-store.ts';
import { openStore } from '../src/store/open-store.ts';
import { startOwnPostgres } from '../test/support/postgres.ts';
import { readPlain } from './load-client.ts';
import { startFakeOllama, startServer, temporaryFolder } from './processes.ts';
import { createProse } from './prose.ts';
import { type Findings, number } from './report.ts';
import type { BenchOptions } from './scenario.ts';
import { type Question, questionsOf } from './search.ts';
import { seed } from './seed.ts';
import { median, percentile } from './statistics.ts';

const MESSAGES_PER_SESSION = 20;
const WARM_UP = 3;
const MEGABYTE = 1_000_000;

export async function measureSearchOnDatabases({
  server: kind,
  isQuick,
  say,
}: BenchOptions): Promise<Findings> {
  const messages = isQuick ? 2_000 : 20_000;
  const samples = isQuick ? 10 : 50;
  const postgres = await startOwnPostgres();
  if (postgres === null) {
    say('There is no PostgreSQL on this machine: nothing is measured.');
    return { columns: [''], rows: [], targets: [] };
  }
  const prose = createProse();
  const dataDir = temporaryFolder();
  await seed(dataDir, [
    {
      model: 'llama3.2:latest',
      sessions: messages / MESSAGES_PER_SESSION,
      messages: MESSAGES_PER_SESSION,
      hasTurns: false,
      write: () => prose.write(1000),
    },
  ]);
  const movedAt = performance.now();
  await move(dataDir, postgres.url);
  say(`${number(messages, 0)} messages moved in ${number((performance.now() - movedAt) / 1000, 1)} s`);
  const ollama = await startFakeOllama();
  const start = (folder: string, env: Readonly<Record<string, string>>) =>
    startServer({ kind, dataDir: folder, ollamaUrl: ollama.url, env });
  const servers = await Promise.all([
    start(dataDir, {}),
    start(temporaryFolder(), { MOCHI_DATABASE_URL: postgres.url }),
  ]);
  const rows: string[][] = [];
  let hasFailed = false;
  for (const question of questionsOf(prose)) {
    const answers = await askInTurn(
      servers.map(({ url }) => url),
      { question, samples },
    );
    const [one, other] = answers.map(({ found }) => found);
    if (one !== other) hasFailed = true;
    rows.push([
      question.name,
      one === other ? number(one ?? 0, 0) : `${one} / ${other}`,
      ...answers.flatMap(({ times }) => [number(median(times), 1), number(percentile(times, 95), 1)]),
    ]);
  }
  // When they have ended: the log is in the file.
  await Promise.all([...servers, ollama].map((program) => program.stop()));
  const size = await sizes(dataDir, postgres.url);
  await postgres.stop();
  return {
    columns: ['', 'on the page', 'SQLite p50 ms', 'p95 ms', 'PostgreSQL p50 ms', 'p95 ms'],
    rows,
    targets: [],
    notes: [`The whole database: SQLite ${size.sqlite} MB, PostgreSQL ${size.postgres} MB.`],
    hasFailed,
  };
}

async function move(dataDir: string, url: string): Promise<void> {
  const files = await openStore({ dataDir, exclusive: true });
  const rows = await openPostgres({ url, pool: 2 });
  const sides = { files: files.db, rows: rows.db, promptFolder: join(dataDir, 'system_prompts') };
  await moveTo(sides, { moved: () => undefined, stays: () => undefined });
  await rows.close();
  await files.close();
}

interface Answers {
  readonly times: readonly number[];
  readonly found: number;
}

/** Each of the servers after the other, so that both have the same machine. */
async function askInTurn(
  urls: readonly string[],
  { question, samples }: { readonly question: Question; readonly samples: number },
): Promise<Answers[]> {
  const answers = urls.map((url) => ({ url, times: [] as number[], found: 0 }));
  for (let sample = -WARM_UP; sample < samples; sample += 1) {
    for (const answer of answers) {
      const { ms, body } = await readPlain({ url: `${answer.url}${question.path}` });
      const { results, sessions } = JSON.parse(body.toString());
      answer.found = (results ?? sessions).length;
      if (sample >= 0) answer.times.push(ms);
    }
  }
  return answers;
}

async function sizes(dataDir: string, url: string): Promise<{ sqlite: string; postgres: string }> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query('select pg_database_size(current_database())::float8 as bytes');
  await client.end();
  return {
    sqlite: number(statSync(join(dataDir, 'mochi.db')).size / MEGABYTE, 0),
    postgres: number(rows[0].bytes / MEGABYTE, 0),
  };
}
