// (c) A plain chat on a session of 10 and of 10 000 messages.
import { readPlain } from './load-client.ts';
import { startFakeOllama, startServer, temporaryFolder } from './processes.ts';
import { type Findings, number } from './report.ts';
import type { BenchOptions } from './scenario.ts';
import { seed } from './seed.ts';
import { median, percentile } from './statistics.ts';

const MODEL = 'llama3.2:latest';
const MOST_RATIO = 1.2;
const WARM_UP = 30;

interface Length {
  readonly messages: number;
  /** Each chat adds two messages: a short session is used once, a long one does not notice. */
  readonly reuse: number;
}

export async function measureLongSession({ server: kind, isQuick, say }: BenchOptions): Promise<Findings> {
  const samples = isQuick ? 40 : 400;
  const chats = samples + WARM_UP;
  const lengths: Length[] = [
    { messages: 10, reuse: 1 },
    // As many as fit the window: its prompt is as large as that of the longest.
    { messages: 100, reuse: 5 },
    { messages: isQuick ? 2000 : 10_000, reuse: 100 },
  ];
  const dataDir = temporaryFolder();
  const seededAt = performance.now();
  const seeded = await seed(
    dataDir,
    lengths.map(({ messages, reuse }) => ({
      model: MODEL,
      messages,
      sessions: Math.ceil(chats / reuse),
      hasTurns: true,
    })),
  );
  say(`seeded in ${number((performance.now() - seededAt) / 1000, 1)} s`);
  const ollama = await startFakeOllama();
  // The same prompt for both: a larger window would take more of the longer one.
  const env = { MOCHI_MAX_CONTEXT_WINDOW: '8192' };
  const server = await startServer({ kind, dataDir, ollamaUrl: ollama.url, env });

  const times = lengths.map((): number[] => []);
  for (let sample = -WARM_UP; sample < samples; sample += 1) {
    for (const [index, { reuse }] of lengths.entries()) {
      const sessionId = seeded[index]?.[Math.floor((sample + WARM_UP) / reuse)] ?? '';
      const { ms } = await readPlain({
        url: `${server.url}/api/v1/chat/${sessionId}`,
        body: { message: 'What is the capital of France?' },
      });
      if (sample >= 0) times[index]?.push(ms);
    }
  }
  await Promise.all([server.stop(), ollama.stop()]);

  const shortest = median(times[0] ?? []);
  return {
    columns: ['messages', 'median ms', 'p99 ms', 'to the shortest'],
    rows: lengths.map(({ messages }, index) => {
      const taken = times[index] ?? [];
      return [
        number(messages, 0),
        number(median(taken), 2),
        number(percentile(taken, 99), 2),
        number(median(taken) / shortest, 2),
      ];
    }),
    targets: [
      {
        name: `chat, ${number(lengths.at(-1)?.messages ?? 0, 0)} messages to 10`,
        reached: median(times.at(-1) ?? []) / shortest,
        limit: MOST_RATIO,
        bound: 'at most',
        unit: '',
        note: `${samples} samples each, in turn`,
      },
    ],
    notes: ['        10 messages make a smaller prompt; 100 fill the window as the longest session does'],
  };
}
