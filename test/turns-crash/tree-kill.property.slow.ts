// Whatever is done to a conversation in whatever order, kills of the whole process included: the tree is the one of a
// model in memory. Only how much of a cut answer was saved is left to the server.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  emptySession,
  type ModelMessage,
  type ModelSession,
  type NewMessage,
  pathTo,
  questionOf,
  shownTree,
} from '../api/tree-model.ts';
import { tokens } from '../fake-ollama/chat-script.ts';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { everyMs, hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import type { StreamedEvent } from '../support/read-events.ts';
import { faultsOf, readStore } from '../support/read-store.ts';
import { type SpawnedServer, spawnServer } from '../support/spawned-server.ts';
import { crashRuns, crashTimeout } from './crash-runs.ts';

const MODEL = { name: 'strict:latest', capabilities: ['completion', 'tools'], strictTemplate: true };

/** How an answer ends: by itself, by a cancel or by a kill after so many tokens. */
type Ending = { readonly by: 'itself' } | { readonly by: 'cancel' | 'kill'; readonly after: number };

type Operation =
  | { readonly type: 'send'; readonly message: string; readonly ending: Ending }
  | { readonly type: 'answer'; readonly mode: 'regenerate' | 'continue'; readonly ending: Ending }
  | { readonly type: 'edit' | 'head' | 'fork'; readonly pick: number; readonly content: string }
  | { readonly type: 'kill' };

/** `session` picks one of those that there are by then. */
type Step = Operation & { readonly session: number };

const pick = fc.nat(1000);
// Few different words, so that the same ones come again.
const words = fc.constantFrom('one', 'two', 'three');
const after = fc.nat(4);
const ending: fc.Arbitrary<Ending> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ by: fc.constant('itself' as const) }) },
  { weight: 2, arbitrary: fc.record({ by: fc.constant('cancel' as const), after }) },
  { weight: 1, arbitrary: fc.record({ by: fc.constant('kill' as const), after }) },
);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('send' as const), message: words, ending }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('answer' as const),
      mode: fc.constantFrom('regenerate' as const, 'continue' as const),
      ending,
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('edit' as const), pick, content: words }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('head' as const), pick, content: words }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('fork' as const), pick, content: words }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('kill' as const) }) },
);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(operation, fc.nat(2)).map(([chosen, session]) => ({ ...chosen, session })),
  { minLength: 5, maxLength: 18, size: 'max' },
);

let ollama: FakeOllama;
let server: SpawnedServer;
let dataDir: string;
let answers = 0;
beforeAll(async () => {
  ollama = await startFakeOllama({ models: [MODEL] });
  dataDir = await mkdtemp(join(tmpdir(), 'mochi-tree-kill-'));
  server = await spawnServer({ dataDir, ollamaHost: ollama.url });
});
afterAll(async () => {
  await server.kill('SIGKILL');
  await ollama.close();
  await rm(dataDir, { recursive: true });
});

it('keeps the tree of the model over cancels and kills', { timeout: crashTimeout(120_000) }, async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const sessions = new Map([[await server.createSession({ model: MODEL.name }), emptySession]]);
      for (const step of list) {
        const id = [...sessions.keys()][step.session % sessions.size] ?? '';
        const outcome = await perform(id, sessions.get(id) ?? emptySession, step);
        sessions.set(outcome.forkId ?? id, outcome.model);
      }
      for (const [id, model] of sessions) await compare(id, model);
    }),
    { numRuns: crashRuns(10), endOnFailure: true },
  );
});

interface Outcome {
  readonly model: ModelSession;
  /** Set when the model is that of a new session. */
  readonly forkId?: string;
}

async function perform(id: string, model: ModelSession, step: Step): Promise<Outcome> {
  switch (step.type) {
    case 'send':
      return {
        model: await chat(id, model, { message: step.message, mode: 'regenerate', ending: step.ending }),
      };
    case 'answer':
      return { model: await chat(id, model, { message: null, mode: step.mode, ending: step.ending }) };
    case 'edit':
      return { model: await edit(id, model, step) };
    case 'head': {
      const head = model.messages[step.pick % (model.messages.length || 1)];
      if (head === undefined) return { model };
      const { status } = await server.request('PUT', `/sessions/${id}/head`, { message_id: head.id });
      expect(status).toBe(200);
      return { model: { ...model, head } };
    }
    case 'fork': {
      const { status, body } = await server.post(`/sessions/${id}/fork`);
      expect(status).toBe(201);
      return { forkId: body.session_id, model: { ...model, messages: pathTo(model.head) } };
    }
    case 'kill':
      await restart();
      return { model };
    default:
      return step satisfies never;
  }
}

async function edit(
  id: string,
  model: ModelSession,
  step: { readonly pick: number; readonly content: string },
): Promise<ModelSession> {
  const path = pathTo(model.head);
  const users = path.filter(({ role }) => role === 'user');
  const target = users[step.pick % (users.length || 1)];
  if (target === undefined) return model;
  const url = `/sessions/${id}/messages/${path.indexOf(target)}`;
  const { status, body } = await server.request('PUT', url, { content: step.content });
  expect(status).toBe(200);
  const edited: ModelMessage = { ...target, id: body.message.message_id, content: step.content };
  return { ...model, messages: [...model.messages, edited], head: edited };
}

interface Asked {
  readonly message: string | null;
  readonly mode: 'regenerate' | 'continue';
  readonly ending: Ending;
}

async function chat(id: string, model: ModelSession, asked: Asked): Promise<ModelSession> {
  const { message, mode, ending: end } = asked;
  const { by } = end;
  const expected = questionOf(model, asked);
  const tokenCount = end.by === 'itself' ? 3 : end.after;
  answers += 1;
  // Tokens are told apart by the number of the answer, so that a part is known to be of this one.
  const answer = tokens(tokenCount);
  const steps = answer.steps.map((step) =>
    step.type === 'chunk' ? { ...step, message: { content: `${answers}.${step.message.content}` } } : step,
  );
  const numbered = script({ ...answer, steps }, everyMs(1));
  // Not as a reply to be used once: a kill may come before the engine was asked.
  ollama.setDefault(by === 'itself' ? numbered : script(numbered, hangAfter(tokenCount)));

  const stream = await server.stream(`/chat/${id}/stream`, { message, mode });
  if (expected === null) {
    expect(stream.status).toBe(400);
    stream.abort();
    return model;
  }
  const { turnId, text, userMessageId } = await follow(stream.events, end);
  const full = steps.map((step) => (step.type === 'chunk' ? step.message.content : '')).join('');
  const question = withId(expected, userMessageId);
  const { body: turn } = await server.get(`/turns/${turnId}`);
  expect(turn.state).toBe({ itself: 'completed', cancel: 'cancelled', kill: 'interrupted' }[by]);
  const part = turn.message_id === null ? null : await shown(id, turn.message_id);
  if (by === 'kill') expect(full.startsWith(part?.content ?? '')).toBe(true);
  else expect(part?.content ?? '').toBe(by === 'itself' ? full : text);
  const added = question === expected ? [] : [question];
  // An answer that was to replace another and never began leaves that one on the path.
  if (part === null)
    return { ...model, messages: [...model.messages, ...added], head: added[0] ?? model.head };
  expect(part.status).toBe(by === 'itself' ? 'complete' : 'partial');
  const reply: ModelMessage = {
    id: turn.message_id,
    parent: question,
    role: 'assistant',
    content: part.content,
  };
  return { ...model, messages: [...model.messages, ...added, reply], head: reply };
}

function withId(message: ModelMessage | NewMessage, id: string | null): ModelMessage {
  if ('id' in message) return message;
  expect(id).toMatch(/^[0-9a-f]{10}$/);
  return { ...message, id: id ?? '' };
}

/** Reads a stream to its end, brought about where it does not come by itself. */
async function follow(
  events: AsyncGenerator<StreamedEvent, void>,
  end: Ending,
): Promise<{ turnId: string; text: string; userMessageId: string | null }> {
  let [turnId, text, deltas]: [string, string, number] = ['', '', 0];
  let userMessageId: string | null = null;
  try {
    for await (const { event, data } of events) {
      if (event === 'turn_start') {
        turnId = data.turn_id;
        userMessageId = data.user_message_id;
      }
      if (event === 'content_delta') {
        text += data.content;
        deltas += 1;
      }
      if (end.by === 'itself' || deltas < end.after || !/context|content_delta/.test(event)) continue;
      if (end.by === 'cancel') await server.post(`/turns/${turnId}/cancel?wait=true`);
      else await restart();
    }
  } catch (error) {
    // The kill cuts the stream.
    if (end.by !== 'kill' || !(error instanceof TypeError)) throw error;
  }
  return { turnId, text, userMessageId };
}

async function restart(): Promise<void> {
  await server.kill('SIGKILL');
  server = await spawnServer({ dataDir, ollamaHost: ollama.url });
  expect(faultsOf(await readStore(dataDir))).toEqual([]);
}

async function shown(id: string, messageId: string): Promise<{ content: string; status: string } | null> {
  const { body } = await server.get(`/sessions/${id}/tree`);
  return body.messages.find(({ message_id }: { message_id: string }) => message_id === messageId) ?? null;
}

async function compare(id: string, model: ModelSession): Promise<void> {
  const { body: tree } = await server.get(`/sessions/${id}/tree`);
  expect(tree.messages.map(shape)).toEqual(shownTree(model));
  expect(tree.head).toBe(model.head?.id ?? null);
  const messages = await server.messages(id);
  expect(messages.map(({ message_id }) => message_id)).toEqual(
    pathTo(model.head).map((message) => message.id),
  );
}

function shape(message: Record<string, unknown>): object {
  const { message_id, parent_id, role, content, active, sibling_count, sibling_index } = message;
  return { message_id, parent_id, role, content, active, sibling_count, sibling_index };
}
