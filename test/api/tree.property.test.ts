// Whatever is done to conversations in whatever order: messages, tree and counts agree with a model of the tree.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import {
  emptySession,
  type ModelChat,
  type ModelMessage,
  type ModelSession,
  newestLeaf,
  pathTo,
  questionOf,
  shownTree,
} from './tree-model.ts';

type Operation =
  | ({ readonly type: 'chat' } & ModelChat)
  | { readonly type: 'edit'; readonly index: number; readonly content: string }
  | { readonly type: 'head' | 'descend' | 'fork'; readonly pick: number }
  | { readonly type: 'replace'; readonly pick: number; readonly message: string | null }
  | { readonly type: 'set-system'; readonly content: string }
  | { readonly type: 'delete-system' };

/** `session` picks one of those that there are by then. */
type Step = Operation & { readonly session: number };

// Few different words, so that the same ones come again; a pick is taken modulo what there is to pick from.
const words = fc.constantFrom('one', 'two', 'three');
const pick = fc.nat(1000);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('chat'), message: words, mode: fc.constant('regenerate') }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('chat'),
      message: fc.constant(null),
      mode: fc.constantFrom('regenerate', 'continue'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('edit'),
      index: fc.integer({ min: -1, max: 9 }),
      content: words,
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('head', 'descend'), pick }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('replace'), pick, message: fc.option(words) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('fork'), pick }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('set-system'), content: words }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('delete-system') }) },
);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(operation, fc.nat(2)).map(([chosen, session]) => ({ ...chosen, session })),
  { minLength: 1, maxLength: 20, size: 'max' },
);

let server: TestServer;
let answers = 0;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault(() => text(`answer ${(answers += 1)}`));
});
afterAll(() => server.close());

it('any operations in any order leave what the model says', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const sessions = new Map([[await server.createSession(), emptySession]]);
      for (const step of list) {
        const id = [...sessions.keys()][step.session % sessions.size] ?? '';
        const before = sessions.get(id) ?? emptySession;
        const after = await perform(id, before, step);
        if (after.forkId !== undefined) sessions.set(after.forkId, after.model);
        else sessions.set(id, after.model);
        await compare(after.forkId ?? id, after.model);
      }
      // What was done to one session must not have reached another.
      if (sessions.size > 1) for (const [id, model] of sessions) await compare(id, model);
    }),
    { numRuns: 40 },
  );
}, 90_000);

interface Outcome {
  readonly model: ModelSession;
  /** Set when the model is that of a new session. */
  readonly forkId?: string;
}

async function perform(id: string, model: ModelSession, step: Step): Promise<Outcome> {
  switch (step.type) {
    case 'chat':
      return { model: await chat(id, model, step) };
    case 'edit':
      return { model: await edit(id, model, step) };
    case 'head':
    case 'descend':
      return { model: await setHead(id, model, step) };
    case 'replace':
      return { model: await replace(id, model, step) };
    case 'fork':
      return fork(id, model, step.pick);
    case 'set-system':
      return { model: await setSystem(id, model, step.content) };
    case 'delete-system': {
      const { status } = await server.request('DELETE', `/sessions/${id}/system-prompt`);
      expect(status).toBe(model.system === null ? 400 : 204);
      return { model: { ...model, system: null } };
    }
    default:
      return step satisfies never;
  }
}

async function chat(id: string, model: ModelSession, asked: ModelChat): Promise<ModelSession> {
  const content = `answer ${answers + 1}`;
  const expected = questionOf(model, asked);
  const { status, body } = await server.post(`/chat/${id}`, { message: asked.message, mode: asked.mode });
  if (expected === null) {
    expect([status, body.detail.error.code]).toEqual([400, 'empty_history']);
    return model;
  }
  expect([status, body.message.content]).toEqual([200, content]);
  const messageId = body.message.message_id;
  // The plain answer does not name a new user message: it is the parent of the answer.
  const question = 'id' in expected ? expected : { ...expected, id: await parentOf(id, messageId) };
  const reply: ModelMessage = { id: messageId, parent: question, role: 'assistant', content };
  const added = question === expected ? [reply] : [question, reply];
  return { ...model, messages: [...model.messages, ...added], head: reply };
}

/** Edit and answer, or another answer, in one request. */
async function replace(
  id: string,
  model: ModelSession,
  { pick: picked, message }: Extract<Step, { type: 'replace' }>,
): Promise<ModelSession> {
  const content = `answer ${answers + 1}`;
  const chosen = choose(model, picked);
  const { status, body } = await server.post(`/chat/${id}`, { message, replaces: chosen?.id ?? 'none' });
  if (chosen === undefined) {
    expect([status, body.detail.error.code]).toEqual([404, 'message_not_found']);
    return model;
  }
  const old = chosen.head;
  if (old?.role !== (message === null ? 'assistant' : 'user')) {
    expect([status, body.detail.error.code]).toEqual([422, 'validation_error']);
    return model;
  }
  expect([status, body.message.content]).toEqual([200, content]);
  const messageId = body.message.message_id;
  const { head } = model;
  const isThere = head?.role === 'user' && head.content === message && head.parent === old.parent;
  const edited = async (text: string): Promise<ModelMessage> => ({
    id: await parentOf(id, messageId),
    parent: old.parent,
    role: 'user',
    content: text,
  });
  const question = message === null ? old.parent : isThere ? head : await edited(message);
  const reply: ModelMessage = { id: messageId, parent: question, role: 'assistant', content };
  const added = message === null || isThere || question === null ? [reply] : [question, reply];
  return { ...model, messages: [...model.messages, ...added], head: reply };
}

async function parentOf(id: string, messageId: string): Promise<string> {
  const messages = await server.messages(id);
  return messages.find((message) => message.message_id === messageId)?.parent_id;
}

async function edit(
  id: string,
  model: ModelSession,
  { index, content }: Extract<Step, { type: 'edit' }>,
): Promise<ModelSession> {
  const target = pathTo(model.head)[model.system === null ? index : index - 1];
  const { status, body } = await server.request('PUT', `/sessions/${id}/messages/${index}`, { content });
  if (target === undefined || target.role !== 'user') {
    expect([status, body.detail.error.code]).toEqual([400, 'invalid_message_index']);
    return model;
  }
  expect([status, body.message_index, body.message_count]).toEqual([200, index, index + 1]);
  const edited: ModelMessage = { ...target, id: body.message.message_id, content };
  return { ...model, messages: [...model.messages, edited], head: edited };
}

/** One of the messages that there are, the system message included; undefined: there are none. */
function choose(model: ModelSession, picked: number): { id: string; head: ModelMessage | null } | undefined {
  const choices = [
    ...(model.system === null ? [] : [{ id: model.system.id, head: null }]),
    ...model.messages.map((message) => ({ id: message.id, head: message })),
  ];
  return choices[picked % choices.length];
}

async function setHead(
  id: string,
  model: ModelSession,
  { type, pick: picked }: Extract<Step, { type: 'head' | 'descend' | 'fork' }>,
): Promise<ModelSession> {
  const chosen = choose(model, picked);
  const { status, body } = await server.request('PUT', `/sessions/${id}/head`, {
    message_id: chosen?.id ?? 'none',
    ...(type === 'descend' && { descend: true }),
  });
  if (chosen === undefined) {
    expect([status, body.detail.error.code]).toEqual([404, 'message_not_found']);
    return model;
  }
  const head = type === 'descend' ? newestLeaf(model, chosen.head) : chosen.head;
  expect([status, body.head]).toEqual([200, head?.id ?? chosen.id]);
  return { ...model, head };
}

async function fork(id: string, model: ModelSession, picked: number): Promise<Outcome> {
  const chosen = picked % 3 === 0 ? undefined : choose(model, picked);
  const { status, body } = await server.post(`/sessions/${id}/fork`, { message_id: chosen?.id ?? null });
  expect(status).toBe(201);
  const head = chosen === undefined ? model.head : chosen.head;
  return { forkId: body.session_id, model: { ...model, messages: pathTo(head), head } };
}

async function setSystem(id: string, model: ModelSession, content: string): Promise<ModelSession> {
  const { status } = await server.request('PUT', `/sessions/${id}/system-prompt`, { content });
  expect(status).toBe(200);
  const [system] = await server.messages(id);
  expect([system.role, system.message_id !== model.system?.id]).toEqual(['system', true]);
  return { ...model, system: { id: system.message_id, content } };
}

async function compare(id: string, model: ModelSession): Promise<void> {
  const tree = (await server.get(`/sessions/${id}/tree`)).body;
  const system = tree.messages.filter(({ role }: { role: string }) => role === 'system');
  expect(system.map(pickShown)).toEqual(model.system === null ? [] : [shownSystem(model.system)]);
  const others = tree.messages.filter(({ role }: { role: string }) => role !== 'system');
  expect(others.map(pickShown)).toEqual(shownTree(model));
  expect(tree.head).toBe(model.head?.id ?? model.system?.id ?? null);

  const { messages, message_count: count } = (await server.get(`/sessions/${id}`)).body;
  const path = pathTo(model.head).map((message) => message.id);
  const ids = messages.map(({ message_id: messageId }: { message_id: string }) => messageId);
  expect(ids).toEqual(model.system === null ? path : [model.system.id, ...path]);
  expect(count).toBe(ids.length);
  const { active: _active, ...rest } = tree.messages.find(
    ({ message_id: messageId }: { message_id: string }) => messageId === ids.at(-1),
  ) ?? { active: true };
  expect(messages.at(-1) ?? {}).toEqual(rest);
}

function shownSystem({ id, content }: { id: string; content: string }): object {
  return {
    message_id: id,
    parent_id: null,
    role: 'system',
    content,
    active: true,
    sibling_count: 1,
    sibling_index: 0,
  };
}

function pickShown(message: Record<string, unknown>): object {
  const { message_id, parent_id, role, content, active, sibling_count, sibling_index } = message;
  return { message_id, parent_id, role, content, active, sibling_count, sibling_index };
}
