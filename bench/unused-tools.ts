// (q) Plain chats on a server that has twenty tools, of which their sessions use none, beside one without tools.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPlain } from './load-client.ts';
import { type Program, startFakeOllama, startServer, temporaryFolder } from './processes.ts';
import { type Findings, number } from './report.ts';
import type { BenchOptions } from './scenario.ts';
import { seed } from './seed.ts';
import { median, quotients, range } from './statistics.ts';

const MODEL = 'llama3.2:latest';
const TOOLS = 20;
/** At once. */
const CLIENTS = 4;
const LEAST_RATIO = 0.97;

interface Side {
  readonly server: Program;
  /** Fresh ones. */
  readonly sessions: string[];
}

export async function measureUnusedTools({ server: kind, isQuick }: BenchOptions): Promise<Findings> {
  const rounds = isQuick ? 6 : 30;
  const chats = isQuick ? 40 : 120;
  const ollama = await startFakeOllama();
  const open = async (tools: number): Promise<Side> => {
    const dataDir = temporaryFolder();
    const count = (rounds + 1) * chats;
    const [sessions = []] = await seed(dataDir, [
      { model: MODEL, sessions: count, messages: 2, hasTurns: false },
    ]);
    if (tools > 0) writeTools(dataDir, tools);
    const server = await startServer({ kind, dataDir, ollamaUrl: ollama.url });
    await readPlain({ url: `${server.url}/api/v1/tools` });
    return { server, sessions };
  };
  const [plain, full] = [await open(0), await open(TOOLS)];
  const rates: { plain: number[]; full: number[] } = { plain: [], full: [] };
  for (let round = -1; round < rounds; round += 1) {
    // In turn, the first one in turn as well: whatever else the machine does hits both.
    const order = round % 2 === 0 ? (['plain', 'full'] as const) : (['full', 'plain'] as const);
    for (const name of order) {
      const rate = await chatAll(name === 'plain' ? plain : full, chats);
      if (round >= 0) rates[name].push(rate);
    }
  }
  await Promise.all([plain.server, full.server, ollama].map((program) => program.stop()));
  const ratios = quotients(rates.full, rates.plain);
  const row = (name: string, values: readonly number[]) => [name, number(median(values), 1)];
  return {
    columns: ['tools that no session uses', 'chats a second, median'],
    rows: [row('none', rates.plain), row(String(TOOLS), rates.full)],
    targets: [
      {
        name: `chats a second with ${TOOLS} tools, to those without, median`,
        reached: median(ratios),
        limit: LEAST_RATIO,
        bound: 'at least',
        unit: '',
        note: `${rounds} rounds of ${chats} chats: ${range(ratios, (value) => number(value, 2))}`,
      },
    ],
  };
}

function writeTools(dataDir: string, count: number): void {
  const folder = join(dataDir, 'tools', 'unused');
  mkdirSync(folder, { recursive: true });
  const tools = Array.from(
    { length: count },
    (_, index) => `export const tool_${index} = { description: 'Answers.', execute: () => 'yes' };`,
  );
  writeFileSync(join(folder, 'index.mjs'), tools.join('\n'));
}

/** @returns chats a second */
async function chatAll({ server, sessions }: Side, chats: number): Promise<number> {
  const own = sessions.splice(0, chats);
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      for (let id = own.pop(); id !== undefined; id = own.pop()) {
        await readPlain({ url: `${server.url}/api/v1/chat/${id}`, body: { message: 'And now?' } });
      }
    }),
  );
  return (chats * 1000) / (performance.now() - startedAt);
}
