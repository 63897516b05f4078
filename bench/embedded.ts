// (j) The embedded engine on its real model beside the binding used bare, in turn; memory, sizes, the first start.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createMochi } from '../src/client/index.ts';
import { TOY_MODEL } from '../src/engines/embedded/catalogue.ts';
import { findBinding } from '../src/engines/embedded/find-binding.ts';
import { openRealEngine, REAL_DATA_DIR } from '../test/model/real-engine.ts';
import type { BareAnswer, BareQuestion } from './bare-binding.ts';
import { type Program, removeFolder, residentMegabytes, startServer, temporaryFolder } from './processes.ts';
import { type Findings, number } from './report.ts';
import type { BenchOptions } from './scenario.ts';
import { median } from './statistics.ts';

const WINDOW = 2048;
const LEAST_RATIO = 0.95;
const OPTIONS = { temperature: 0, num_predict: 96, seed: 1, num_ctx: WINDOW };
const ROUNDS = 9;

export async function measureEmbedded(options: BenchOptions): Promise<Findings> {
  const engine = openRealEngine(options.say);
  await engine.prepare();
  await engine.close();
  const binding = await findBinding(REAL_DATA_DIR);
  if (binding === null) {
    return { columns: ['embedded engine'], rows: [['cannot be had here']], targets: [] };
  }
  const dataDir = temporaryFolder();
  for (const name of ['engine', 'models']) symlinkSync(join(REAL_DATA_DIR, name), join(dataDir, name));
  const server = await startServer({
    kind: options.server,
    dataDir,
    ollamaUrl: 'http://127.0.0.1:9',
    env: { MOCHI_ENGINE: 'embedded' },
  });
  const cold = await askServer(server, 'Hello');
  const coldMs = cold.firstAt - server.spawnedAt;
  const bare = await startBare(binding.entry);
  const rounds: { bare: BareAnswer; server: BareAnswer }[] = [];
  for (let round = 0; round < (options.isQuick ? 3 : ROUNDS); round += 1) {
    // Another beginning each time: nothing is kept from the round before but the system prompt.
    const question = `${round} ${'Tell me about the history of trains. '.repeat(12)}`;
    const viaBare = await askBare(bare, question);
    const viaServer = await askServer(server, question);
    // The first one warms both up.
    if (round > 0) rounds.push({ bare: viaBare, server: viaServer });
    options.say(
      `round ${round}: ${number(viaServer.tokensPerSecond, 1)} of ${number(viaBare.tokensPerSecond, 1)} tokens/s`,
    );
  }
  const memory = [residentMegabytes(server), residentMegabytes({ ...server, pid: childOf(server.pid) })];
  bare.kill('SIGKILL');
  await server.stop();
  removeFolder(dataDir);
  return toFindings(rounds, memory, coldMs);
}

function toFindings(
  rounds: readonly { bare: BareAnswer; server: BareAnswer }[],
  [serverMb = null, engineMb = null]: readonly (number | null)[],
  coldMs: number,
): Findings {
  const row = (name: string, read: (answer: BareAnswer) => number) => {
    const [viaBare, viaServer] = [
      rounds.map(({ bare }) => read(bare)),
      rounds.map(({ server }) => read(server)),
    ];
    return [name, number(median(viaBare), 1), number(median(viaServer), 1)];
  };
  const ratio = (read: (round: (typeof rounds)[number]) => number) => median(rounds.map(read));
  const least = { limit: LEAST_RATIO, bound: 'at least', unit: '' } as const;
  return {
    columns: ['', 'bare binding', 'server'],
    rows: [
      row('tokens per second', ({ tokensPerSecond }) => tokensPerSecond),
      row('first token, ms', ({ firstMs }) => firstMs),
    ],
    targets: [
      {
        ...least,
        name: 'tokens per second, server to bare, median of rounds',
        reached: ratio(({ bare, server }) => server.tokensPerSecond / bare.tokensPerSecond),
      },
      {
        ...least,
        name: 'first token, bare to server, median of rounds',
        reached: ratio(({ bare, server }) => bare.firstMs / server.firstMs),
      },
    ],
    notes: [
      `start to first token, everything fetched: ${number(coldMs, 0)} ms`,
      `resident: server ${number(serverMb, 0)} MB, engine process ${number(engineMb, 0)} MB (window ${WINDOW})`,
      `on disk: engine ${megabytes(join(REAL_DATA_DIR, 'engine'))} MB, model ${megabytes(join(REAL_DATA_DIR, 'models'))} MB, none of it without the embedded engine`,
    ],
  };
}

interface ServerAnswer extends BareAnswer {
  /** By this process's clock. */
  readonly firstAt: number;
}

async function askServer({ url }: Program, message: string): Promise<ServerAnswer> {
  const mochi = createMochi({ baseUrl: url });
  const { session_id: sessionId } = await mochi.sessions.create({ model: TOY_MODEL.name });
  const startedAt = performance.now();
  let firstAt = 0;
  let lastAt = 0;
  let tokens = 0;
  for await (const { event, data } of mochi.chat.stream(sessionId, { message, options: OPTIONS })) {
    if (event === 'content_delta') {
      lastAt = performance.now();
      if (firstAt === 0) firstAt = lastAt;
    }
    if (event === 'message_complete') tokens = data.eval_count ?? 0;
  }
  return {
    firstAt,
    firstMs: firstAt - startedAt,
    tokens,
    tokensPerSecond: (tokens - 1) / ((lastAt - firstAt) / 1000),
  };
}

async function startBare(entry: string): Promise<ChildProcess> {
  const file = fileURLToPath(new URL('./bare-binding.ts', import.meta.url));
  const model = join(REAL_DATA_DIR, 'models', `${TOY_MODEL.name}.gguf`);
  const child = fork(file, [entry, model, String(WINDOW)], { execArgv: [] });
  await once(child, 'message');
  return child;
}

/** The same tokens as the server sends: the template of the model written out. */
async function askBare(child: ChildProcess, message: string): Promise<BareAnswer> {
  const system = 'You are a helpful AI assistant named SmolLM, trained by Hugging Face';
  const prompt = `<|im_start|>system\n${system}<|im_end|>\n<|im_start|>user\n${message}<|im_end|>\n<|im_start|>assistant\n`;
  child.send({ prompt, options: OPTIONS } satisfies BareQuestion);
  const [answer] = await once(child, 'message');
  return answer as BareAnswer;
}

function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
}

function megabytes(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const bytes = files.map((entry) => statSync(join(entry.parentPath, entry.name)).size);
  return number(bytes.reduce((sum, size) => sum + size, 0) / 1024 ** 2, 0);
}
