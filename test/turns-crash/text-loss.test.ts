// How much of a streamed text a kill may cost: about the last second. Each token carries the moment in which the engine
// sent it, so that a slow machine changes nothing: what had reached the client well before the engine sent the last
// token that came through must be stored.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestBody } from '../fake-ollama/chat-request.ts';
import { type ChatScript, type FakeMessage, toolCall } from '../fake-ollama/chat-script.ts';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { faultsOf, readStore } from '../support/read-store.ts';
import { type SpawnedServer, spawnServer } from '../support/spawned-server.ts';
import { crashRuns, crashTimeout } from './crash-runs.ts';

const MODEL = {
  name: 'strict:latest',
  capabilities: ['completion', 'tools', 'thinking'],
  strictTemplate: true,
};

/** A checkpoint a second, and half of one for the rest. */
const MOST_LOST_MS = 1500;
/** How long a text was streamed when the kill comes, at least: by its tokens. */
const STREAMED_MS = 2600;

/** What the user says names how the model answers. */
const KINDS: Readonly<Record<string, { readonly everyMs: number; readonly field: 'content' | 'thinking' }>> =
  {
    fast: { everyMs: 2, field: 'content' },
    usual: { everyMs: 33, field: 'content' },
    slow: { everyMs: 400, field: 'content' },
    thoughtful: { everyMs: 20, field: 'thinking' },
    'after a tool': { everyMs: 20, field: 'content' },
  };

interface Heard {
  readonly sessionId: string;
  readonly kind: string;
  readonly tokens: { readonly text: string; readonly sentAt: number; readonly receivedAt: number }[];
  turnId: string;
}

let ollama: FakeOllama;
let server: SpawnedServer;
let dataDir: string;
beforeAll(async () => {
  ollama = await startFakeOllama({ models: [MODEL] });
  ollama.setDefault(behave);
  dataDir = await mkdtemp(join(tmpdir(), 'mochi-text-loss-'));
  server = await spawnServer({ dataDir, ollamaHost: ollama.url });
});
afterAll(async () => {
  await server.kill('SIGKILL');
  await ollama.close();
  await rm(dataDir, { recursive: true });
});

function behave({ messages = [] }: RequestBody): ChatScript {
  const kind = KINDS[messages.findLast(({ role }) => role === 'user')?.content ?? ''];
  if (kind === undefined) return { steps: [{ type: 'final', message: { content: 'Fine.' }, fields: {} }] };
  if (kind === KINDS['after a tool'] && messages.at(-1)?.role !== 'tool') return toolCall('look', {});
  const { everyMs, field } = kind;
  const steps = Array.from({ length: 60_000 / everyMs }, () => ({
    type: 'chunk' as const,
    message: stamped(field),
  }));
  return { steps, everyMs };
}

/** Says when it is sent. */
function stamped(field: 'content' | 'thinking'): FakeMessage {
  const now = () => `${performance.now().toFixed(2)} `;
  return field === 'content'
    ? {
        get content() {
          return now();
        },
      }
    : {
        content: '',
        get thinking() {
          return now();
        },
      };
}

/** Reads until the text is long enough; the rest is read on until the kill. */
async function listen(kind: string): Promise<Heard> {
  const sessionId = await server.createSession({ model: MODEL.name });
  const body = { message: kind, think: KINDS[kind]?.field === 'thinking' };
  const stream = await server.stream(`/chat/${sessionId}/stream`, body);
  const heard: Heard = { sessionId, kind, tokens: [], turnId: stream.headers.get('x-turn-id') ?? '' };
  const { promise: isLong, resolve } = Promise.withResolvers<void>();
  const read = async () => {
    for await (const { event, data } of stream.events) {
      if (event !== 'content_delta' && event !== 'thinking_delta') continue;
      const text: string = data.content;
      heard.tokens.push({ text, sentAt: Number(text), receivedAt: performance.now() });
      if (Number(text) > (heard.tokens[0]?.sentAt ?? 0) + STREAMED_MS) resolve();
    }
    throw new Error(`the stream of "${kind}" ended`);
  };
  // Nobody waits for the reading any more when the kill cuts it.
  await Promise.race([isLong, read()]);
  return heard;
}

describe.each(Array.from({ length: crashRuns(1) }, (_, run) => run + 1))('kill -9 in long texts, %i', () => {
  it('loses about a second of each, at most', { timeout: crashTimeout(60_000) }, async () => {
    const streams = await Promise.all(Object.keys(KINDS).map(listen));
    await server.kill('SIGKILL');
    server = await spawnServer({ dataDir, ollamaHost: ollama.url });
    const rows = await readStore(dataDir);
    expect(faultsOf(rows)).toEqual([]);

    for (const { sessionId, kind, tokens, turnId } of streams) {
      const { message_id: messageId, state } = (await server.get(`/turns/${turnId}`)).body;
      const row = rows.messages.find(({ session_id, id }) => session_id === sessionId && id === messageId);
      const part = (KINDS[kind]?.field === 'thinking' ? row?.thinking : row?.content) ?? '';
      expect([kind, state, row?.status]).toEqual([kind, 'interrupted', 'partial']);
      const lastSent = tokens.at(-1)?.sentAt ?? 0;
      const due = tokens.filter(({ receivedAt }) => receivedAt < lastSent - MOST_LOST_MS);
      expect(due.length).toBeGreaterThan(0);
      // What is stored may be more than the client has seen, but never anything else.
      const streamed = tokens.map(({ text }) => text).join('');
      expect(part.startsWith(due.map(({ text }) => text).join(''))).toBe(true);
      expect(part.startsWith(streamed) || streamed.startsWith(part)).toBe(true);
    }
  });

  it('leaves sessions that chat on', async () => {
    for (const { id } of (await readStore(dataDir)).sessions) await server.chat(id, { message: 'and now?' });
  });
});
