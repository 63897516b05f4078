// (k) The context window: reloads that sessions of different lengths cost, and how wrong the plans are.
import llama3Tokenizer from 'llama3-tokenizer-js';
import type { RequestBody } from '../test/fake-ollama/chat-request.ts';
import { text } from '../test/fake-ollama/chat-script.ts';
import { type FakeOllama, startFakeOllama } from '../test/fake-ollama/fake-ollama.ts';
import { finalFields, script } from '../test/fake-ollama/script-modifiers.ts';
import { CORPORA } from './corpora.ts';
import { startServer, temporaryFolder } from './processes.ts';
import { type Findings, number } from './report.ts';
import type { BenchOptions } from './scenario.ts';
import { median, percentile } from './statistics.ts';

const SESSIONS = 20;
const TRAINED_LENGTH = 131_072;
/** The plan's own margin: an error above it could cost a refused prompt. */
const MARGIN = 0.1;
/** Header and end of a message in the template of Llama 3. */
const TEMPLATE_TOKENS = 5;

interface Answer {
  readonly context: { readonly planned_tokens: number; readonly prompt_tokens: number };
}

export async function measureContextWindow({ server: kind, isQuick, say }: BenchOptions): Promise<Findings> {
  const kinds = Object.keys(CORPORA);
  const ollama = await startFakeOllama({
    models: ['ladder', ...kinds].map((name) => ({
      name: name.toLowerCase(),
      capabilities: ['completion'],
      contextLength: TRAINED_LENGTH,
    })),
  });
  const server = await startServer({ kind, dataDir: temporaryFolder(), ollamaUrl: ollama.url });
  const talk = openTalk(`${server.url}/api/v1`);
  const ladder = await measureLadder(ollama, talk, isQuick ? 2 : 4);
  say(`${number(ladder.reloads, 0)} reloads`);
  const errors = [];
  for (const name of kinds)
    errors.push({ name, ...(await measureErrors(ollama, talk, name, isQuick ? 3 : 12)) });
  await Promise.all([server.stop(), ollama.close()]);
  return {
    columns: ['tokens planned', 'first turn median', 'p95', 'later turns median', 'p95'],
    rows: errors.map(({ name, first, later }) => [
      name,
      ...[first, later].flatMap((found) => [percent(median(found)), percent(percentile(found, 95))]),
    ]),
    targets: [
      {
        name: `reloads for ${SESSIONS} sessions in turn, ${number(ladder.chats, 0)} chats`,
        reached: ladder.reloads,
        limit: ladder.steps - 1,
        bound: 'at most',
        unit: '',
        note: `${ladder.steps} steps; a window of each session's own would have cost ${ladder.ownReloads}`,
      },
      ...errors.map(({ name, later }) => ({
        name: `error of the plan, ${name}, later turns, p95`,
        reached: percentile(later, 95),
        limit: MARGIN,
        bound: 'at most' as const,
        unit: '',
      })),
    ],
    notes: [
      '        counted by the tokenizer of Llama 3; a first turn has only what other sessions have taught',
    ],
  };
}

interface Talk {
  readonly open: (model: string) => Promise<string>;
  readonly chat: (sessionId: string, message: string) => Promise<Answer>;
}

function openTalk(url: string): Talk {
  const post = async (path: string, body: object) => {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer: any = await response.json();
    if (!response.ok) throw new Error(JSON.stringify(answer));
    return answer;
  };
  return {
    open: async (model) => (await post('/sessions', { model })).session_id,
    chat: (sessionId, message) => post(`/chat/${sessionId}`, { message }),
  };
}

/** Sessions that grow at different paces, one chat each in turn. */
async function measureLadder(ollama: FakeOllama, talk: Talk, rounds: number) {
  const sessions = await Promise.all(Array.from({ length: SESSIONS }, () => talk.open('ladder')));
  const windows = new Set<number>();
  const own = new Map<number, number>();
  let ownReloads = 0;
  let lastOwn = 0;
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, sessionId] of sessions.entries()) {
      ollama.reply(text('Fine.'));
      const { context } = await talk.chat(sessionId, 'word '.repeat(20 + index * 200));
      const request = ollama.requestsTo('/api/chat').at(-1)?.body;
      windows.add(Number(request?.options?.['num_ctx']));
      // What a server does that follows each session alone: twice what it used last, never less than before.
      const wanted = Math.max(8192, own.get(index) ?? 0, 2 * context.prompt_tokens);
      own.set(index, wanted);
      if (lastOwn !== 0 && wanted !== lastOwn) ownReloads += 1;
      lastOwn = wanted;
    }
  }
  const reloads = ollama.reloads['ladder:latest'] ?? 0;
  return { reloads, steps: windows.size, ownReloads, chats: rounds * SESSIONS };
}

/** Errors of `planned_tokens`, as parts of what was counted. */
async function measureErrors(ollama: FakeOllama, talk: Talk, name: string, sessions: number) {
  const first: number[] = [];
  const later: number[] = [];
  const pick = createPicker(CORPORA[name] ?? []);
  ollama.setDefault((request) => {
    const answer = pick(1 + ((request.messages?.length ?? 0) % 9));
    const counts = { prompt_eval_count: countPrompt(request), eval_count: countTokens(answer) + 1 };
    return script(text(answer), finalFields(counts));
  });
  for (let index = 0; index < sessions; index += 1) {
    const sessionId = await talk.open(name.toLowerCase());
    for (let turn = 0; turn < 10; turn += 1) {
      const { context } = await talk.chat(sessionId, pick(1 + ((index + turn) % 12)));
      const error = Math.abs(context.planned_tokens / context.prompt_tokens - 1);
      (turn === 0 ? first : later).push(error);
    }
  }
  return { first, later };
}

/** Takes pieces in turn, so that runs are alike. */
function createPicker(pieces: readonly string[]): (count: number) => string {
  let next = 0;
  return (count) => Array.from({ length: count }, () => pieces[next++ % pieces.length]).join('');
}

function countTokens(content: string): number {
  return llama3Tokenizer.encode(content, { bos: false, eos: false }).length;
}

function countPrompt({ messages = [] }: RequestBody): number {
  const told = messages.reduce(
    (total, { content }) => total + TEMPLATE_TOKENS + countTokens(content ?? ''),
    0,
  );
  // The begin mark, and the header of the answer.
  return told + TEMPLATE_TOKENS;
}

function percent(part: number): string {
  return `${number(part * 100, 1)} %`;
}
