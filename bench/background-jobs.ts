// (h) The first token of a turn that arrives while a summary is being written, beside that of one that meets an idle
// engine. The engine answers one request at a time, as Ollama does.
import { setTimeout as delay } from 'node:timers/promises';
import type { RequestBody } from '../test/fake-ollama/chat-request.ts';
import { type ChatScript, tokens } from '../test/fake-ollama/chat-script.ts';
import { type FakeOllama, startFakeOllama } from '../test/fake-ollama/fake-ollama.ts';
import { everyMs, firstTokenMs, script } from '../test/fake-ollama/script-modifiers.ts';
import { readStream, type StreamTimes } from './load-client.ts';
import { type Program, startServer, temporaryFolder } from './processes.ts';
import { type Findings, number } from './report.ts';
import type { BenchOptions } from './scenario.ts';
import { median, percentile } from './statistics.ts';

const MODEL = 'llama3.2:latest';
const TOKENS = 5;
/** What the model takes for itself: a quick one, so that whatever the server adds shows. Milliseconds. */
const PROMPT_MS = 50;
/** A summary takes longer than any turn waits for. */
const SUMMARY_TOKENS = 400;
const TOKEN_MS = 30;
const WARM_UP = 5;
const MOST_RATIO = 1.1;

interface Side {
  readonly ollama: FakeOllama;
  readonly server: Program;
  readonly sessionId: string;
}

export async function measureBackgroundJobs(options: BenchOptions): Promise<Findings> {
  const samples = options.isQuick ? 20 : 100;
  const writing = await open(options, 'true');
  const idle = await open(options, 'false');
  const times: { writing: StreamTimes[]; idle: StreamTimes[] } = { writing: [], idle: [] };
  for (let sample = -WARM_UP; sample < samples; sample += 1) {
    const requests = writing.ollama.requests.length;
    const [first, second] = [await chat(writing), await chat(idle)];
    if (sample >= 0) {
      times.writing.push(first);
      times.idle.push(second);
    }
    await writing.ollama.waitForRequest('/api/chat', isSummaryAfter(writing, requests));
    // In the middle of its prompt in one round, of its tokens in the next.
    await delay(sample % 2 === 0 ? PROMPT_MS / 2 : 3 * PROMPT_MS);
  }
  const interrupted = writing.ollama.requests.filter(({ aborted }) => aborted).length - WARM_UP;
  await Promise.all(
    [writing, idle].map(async ({ server, ollama }) => [await server.stop(), await ollama.close()]),
  );
  return report(times, interrupted);
}

function report(
  times: { readonly writing: StreamTimes[]; readonly idle: StreamTimes[] },
  interrupted: number,
): Findings {
  const [during, free] = [times.writing, times.idle].map((side) => side.map(({ firstDelta }) => firstDelta));
  const row = (name: string, values: readonly number[] = []) => [
    name,
    number(median(values), 2),
    number(percentile(values, 99), 2),
  ];
  return {
    columns: ['a turn that meets', 'first token, median ms', 'p99 ms'],
    rows: [row('a summary being written', during), row('an idle engine', free)],
    targets: [
      {
        name: 'first token during a summary, to that when idle, median',
        reached: median(during ?? []) / median(free ?? []),
        limit: MOST_RATIO,
        bound: 'at most',
        unit: '',
        note: `${during?.length} samples each, in turn; ${interrupted} summaries interrupted`,
      },
    ],
    notes: [`        one slot; the model takes ${PROMPT_MS} ms to its first token`],
  };
}

async function open({ server: kind }: BenchOptions, hasSummaries: 'true' | 'false'): Promise<Side> {
  const ollama = await startFakeOllama({ parallel: 1 });
  ollama.setDefault(answer);
  const env = { MOCHI_SUMMARIZATION_ENABLED: hasSummaries, MOCHI_TITLES_ENABLED: 'false' };
  const server = await startServer({ kind, dataDir: temporaryFolder(), ollamaUrl: ollama.url, env });
  const response = await fetch(`${server.url}/api/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: MODEL }),
  });
  const { session_id: sessionId } = (await response.json()) as { session_id: string };
  return { ollama, server, sessionId };
}

function answer({ format }: RequestBody): ChatScript {
  return format === undefined
    ? script(tokens(TOKENS), firstTokenMs(PROMPT_MS))
    : script(tokens(SUMMARY_TOKENS), firstTokenMs(PROMPT_MS), everyMs(TOKEN_MS));
}

function chat({ server, sessionId }: Side): Promise<StreamTimes> {
  return readStream({
    url: `${server.url}/api/v1/chat/${sessionId}/stream`,
    body: { message: 'Tell me something.' },
    frames: TOKENS,
    frameEnd: '\n\n',
    lastMark: '"state":"completed"',
  });
}

function isSummaryAfter({ ollama }: Side, count: number) {
  return (request: FakeOllama['requests'][number]) =>
    request.body?.format !== undefined && ollama.requests.indexOf(request) >= count;
}
