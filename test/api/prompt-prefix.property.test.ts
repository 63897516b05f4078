// Whatever is done to a session: a prompt goes on from the one before, or its receipt says why it does not.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  const capabilities = ['completion', 'tools', 'thinking'];
  const models = ['one', 'two'].map((name) => ({
    name: `${name}:latest`,
    capabilities,
    contextLength: 1500,
  }));
  server = await startTestServer({ ollama: { models } });
});
afterAll(() => server.close());

const words = fc.integer({ min: 1, max: 120 }).map((count) => 'word '.repeat(count));
const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('send' as const), content: words, answer: words }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('tools' as const), content: words, answer: words }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('regenerate' as const), answer: words }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('continue' as const), answer: words }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('edit' as const),
      pick: fc.nat(),
      content: words,
      answer: words,
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('head' as const), pick: fc.nat(), answer: words }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('system' as const), content: words }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('model' as const), name: fc.constantFrom('one', 'two') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('window' as const), size: fc.constantFrom(1024, 1200) }),
  },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

it('is a prefix of the next prompt, or the receipt names the break', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 4, maxLength: 14 }), async (actions) => {
      const sessionId = await server.createSession({ model: 'one', system_prompt: 'Be brief.' });
      const chats = () => server.ollama.requestsTo('/api/chat');
      let before: any = null;
      for (const step of actions) {
        const first = chats().length;
        const receipts = await perform(sessionId, step);
        for (const [index, request] of chats().slice(first).entries()) {
          const { body }: any = request;
          checkReceipt(receipts[index], body, before);
          before = body;
        }
      }
      await server.request('DELETE', `/sessions/${sessionId}`);
      server.ollama.requests.length = 0;
    }),
    { numRuns: 40 },
  );
}, 120_000);

function checkReceipt(receipt: any, now: any, before: any): void {
  const { prefix_reused: reused, cache_break: why } = receipt;
  expect(receipt.messages_sent).toBe(now.messages.length);
  if (before === null) {
    expect([reused, why]).toEqual([0, null]);
    return;
  }
  const canReuse = before.model === now.model && before.options.num_ctx === now.options.num_ctx;
  expect(canReuse).toBe(why !== 'model' && why !== 'options');
  // What is said to be read already was sent before, word for word.
  expect(now.messages.slice(0, reused)).toEqual(before.messages.slice(0, reused));
  if (why === null) {
    expect(now.messages.slice(0, before.messages.length)).toEqual(before.messages);
    expect(reused).toBe(before.messages.length);
  }
}

async function perform(sessionId: string, step: Action): Promise<unknown[]> {
  switch (step.type) {
    case 'send':
      server.ollama.setDefault(text(step.answer));
      return ask(sessionId, { message: step.content });
    case 'tools':
      server.ollama.setDefault(({ messages }) =>
        messages?.at(-1)?.role === 'user' ? toolCall('f', { text: step.answer }) : text(step.answer),
      );
      return ask(sessionId, { message: step.content });
    case 'regenerate':
    case 'continue':
      server.ollama.setDefault(text(step.answer));
      return ask(sessionId, { message: null, mode: step.type });
    case 'edit': {
      const messages = await server.messages(sessionId);
      const users = messages.flatMap(({ role }, index) => (role === 'user' ? [index] : []));
      if (users.length === 0) return [];
      const index = users[step.pick % users.length];
      await server.request('PUT', `/sessions/${sessionId}/messages/${index}`, { content: step.content });
      server.ollama.setDefault(text(step.answer));
      return ask(sessionId, { message: null });
    }
    case 'head': {
      const { messages } = (await server.get(`/sessions/${sessionId}/tree`)).body;
      const answers = messages.filter(({ role }: any) => role === 'assistant' || role === 'user');
      if (answers.length === 0) return [];
      const { message_id } = answers[step.pick % answers.length];
      await server.request('PUT', `/sessions/${sessionId}/head`, { message_id });
      server.ollama.setDefault(text(step.answer));
      return ask(sessionId, { message: 'And now?' });
    }
    case 'system':
      await server.request('PUT', `/sessions/${sessionId}/system-prompt`, { content: step.content });
      return [];
    case 'model':
      await server.request('PATCH', `/sessions/${sessionId}`, { model: step.name });
      return [];
    case 'window':
      server.ollama.setDefault(text('Fine.'));
      return ask(sessionId, { message: 'Small?', options: { num_ctx: step.size } });
    default:
      return step satisfies never;
  }
}

/** The receipts of every model call; none where there was nothing to answer. */
async function ask(sessionId: string, body: object): Promise<unknown[]> {
  const answer = await server.stream(`/chat/${sessionId}/stream`, body);
  if (answer.status === 400) {
    answer.abort();
    return [];
  }
  const events = await answer.all();
  expect(events.at(-1)?.data.state).toBe('completed');
  return events.filter(({ event }) => event === 'context').map(({ data }) => data);
}
