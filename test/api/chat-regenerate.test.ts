// `message: null`: what is answered, what the path shows afterwards, and that nothing is ever lost.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { emptyAnswer } from '../fake-ollama/http-answer.ts';
import { cutAfter, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const ROUTES = ['/chat/SESSION', '/chat/SESSION/stream'];
const refusal = { answer: emptyAnswer(500), steps: [] };

describe('message: null', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  const post = (route: string, sessionId: string, body: unknown) =>
    server.post(route.replace('SESSION', sessionId), body);
  const told = async (sessionId: string) =>
    (await server.messages(sessionId)).map(({ role, content }) => `${role}: ${content}`);
  const sentLast = () =>
    server.ollama
      .requestsTo('/api/chat')
      .at(-1)
      ?.body?.messages?.map(({ role, content }) => `${role}: ${content}`);
  const tree = async (sessionId: string) => (await server.get(`/sessions/${sessionId}/tree`)).body;

  /** A session with a question and its answer. */
  async function answered(settings: Record<string, unknown> = {}) {
    const sessionId = await server.createSession(settings);
    server.ollama.reply(text('First answer.'));
    await server.chat(sessionId, { message: 'Question?' });
    return sessionId;
  }

  describe.each(ROUTES)('%s', (route) => {
    it.each([
      ['nothing asked', {}],
      ['null', { message: null }],
      ['regenerate', { message: null, mode: 'regenerate' }],
      ['continue', { message: null, mode: 'continue' }],
    ])('an empty session has nothing to answer (%s)', async (_name, body) => {
      for (const settings of [{}, { system_prompt: 'Be brief.' }]) {
        const sessionId = await server.createSession(settings);
        const before = server.ollama.requestsTo('/api/chat').length;
        const { status, body: answer } = await post(route, sessionId, body);
        expect([status, answer.detail.error.code]).toEqual([400, 'empty_history']);
        expect(answer.detail.error.details).toMatchObject({ session_id: sessionId });
        expect(server.ollama.requestsTo('/api/chat')).toHaveLength(before);
        expect(await server.messages(sessionId)).toHaveLength('system_prompt' in settings ? 1 : 0);
      }
    });

    it.each(['regenerate', 'continue'])('an unanswered question is answered (%s)', async (mode) => {
      const sessionId = await server.createSession();
      server.ollama.reply(refusal);
      await post(route, sessionId, { message: 'Question?' });
      server.ollama.reply(text('At last.'));
      await post(route, sessionId, { message: null, mode });
      expect(sentLast()).toEqual(['user: Question?']);
      expect(await told(sessionId)).toEqual(['user: Question?', 'assistant: At last.']);
    });

    it('regenerates an answer: a sibling takes its place, the old one stays in the tree', async () => {
      const sessionId = await answered({ system_prompt: 'Be brief.' });
      const [, question, old] = await server.messages(sessionId);
      server.ollama.reply(text('Second answer.'));
      // Regenerating is what an absent mode means.
      await post(route, sessionId, {});
      expect(sentLast()).toEqual(['system: Be brief.', 'user: Question?']);
      const [, user, answer] = await server.messages(sessionId);
      expect(await told(sessionId)).toEqual([
        'system: Be brief.',
        'user: Question?',
        'assistant: Second answer.',
      ]);
      expect(user).toEqual(question);
      expect(answer).toMatchObject({ parent_id: question.message_id, sibling_count: 2 });
      expect(answer.message_id).not.toBe(old.message_id);
      const { head, messages } = await tree(sessionId);
      expect(head).toBe(answer.message_id);
      expect(messages.find(({ message_id: id }: any) => id === old.message_id)).toEqual({
        ...old,
        sibling_count: 2,
        active: false,
      });
    });

    it('regenerates in the middle of a conversation without the old answer in the prompt', async () => {
      const sessionId = await answered();
      server.ollama.reply(text('Old.'));
      await server.chat(sessionId, { message: 'And then?' });
      server.ollama.reply(text('New.'));
      await post(route, sessionId, { message: null, mode: 'regenerate' });
      expect(sentLast()).toEqual(['user: Question?', 'assistant: First answer.', 'user: And then?']);
      expect(await told(sessionId)).toEqual([
        'user: Question?',
        'assistant: First answer.',
        'user: And then?',
        'assistant: New.',
      ]);
      await server.chat(sessionId, { message: 'Go on.' });
      expect(sentLast()).toEqual([
        'user: Question?',
        'assistant: First answer.',
        'user: And then?',
        'assistant: New.',
        'user: Go on.',
      ]);
    });

    it('keeps the old answer on the path when the new one fails before its first word', async () => {
      const sessionId = await answered();
      const before = await server.messages(sessionId);
      server.ollama.reply(refusal);
      await post(route, sessionId, { message: null, mode: 'regenerate' });
      expect(await server.messages(sessionId)).toEqual(before);
      expect((await tree(sessionId)).messages).toHaveLength(2);
    });

    it('shows the part when the new answer fails after its first word; both stay', async () => {
      const sessionId = await answered();
      server.ollama.reply(script(text('Sec', 'ond'), cutAfter(1)));
      await post(route, sessionId, { message: null, mode: 'regenerate' });
      const messages = await server.messages(sessionId);
      expect(messages.at(-1)).toMatchObject({ content: 'Sec', status: 'partial', sibling_count: 2 });
      server.ollama.reply(text('Third answer.'));
      await post(route, sessionId, { message: null, mode: 'regenerate' });
      expect(await told(sessionId)).toEqual(['user: Question?', 'assistant: Third answer.']);
      expect((await tree(sessionId)).messages.map(({ content }: any) => content)).toEqual([
        'Question?',
        'First answer.',
        'Sec',
        'Third answer.',
      ]);
    });

    it('continues after an answer: the model sees it, and another one follows', async () => {
      const sessionId = await answered();
      server.ollama.reply(text('And more.'));
      await post(route, sessionId, { message: null, mode: 'continue' });
      expect(sentLast()).toEqual(['user: Question?', 'assistant: First answer.']);
      expect(await told(sessionId)).toEqual([
        'user: Question?',
        'assistant: First answer.',
        'assistant: And more.',
      ]);
      const [, first, second] = await server.messages(sessionId);
      expect(second).toMatchObject({ parent_id: first.message_id, sibling_count: 1 });
      // Regenerating now answers the question itself anew, as it says.
      server.ollama.reply(text('Only this.'));
      await post(route, sessionId, { message: null, mode: 'regenerate' });
      expect(await told(sessionId)).toEqual(['user: Question?', 'assistant: Only this.']);
    });

    it('continues after a part that was cut', async () => {
      const sessionId = await server.createSession();
      server.ollama.reply(script(text('Once upon', ' a time'), cutAfter(1)));
      await post(route, sessionId, { message: 'Tell a tale.' });
      server.ollama.reply(text(' a time.'));
      await post(route, sessionId, { message: null, mode: 'continue' });
      expect(sentLast()).toEqual(['user: Tell a tale.', 'assistant: Once upon']);
      expect((await server.messages(sessionId)).map(({ status }) => status)).toEqual([
        'complete',
        'partial',
        'complete',
      ]);
    });

    it.each(['regenerate', 'continue'])('goes on after a tool result (%s)', async (mode) => {
      const sessionId = await server.createSession();
      server.ollama.reply(toolCall('get_weather', { city: 'Paris' }), refusal);
      await post(route, sessionId, { message: 'Weather?' });
      const roles = (await server.messages(sessionId)).map(({ role }) => role);
      expect(roles).toEqual(['user', 'assistant', 'tool']);
      server.ollama.reply(text('I cannot tell.'));
      await post(route, sessionId, { message: null, mode });
      expect(
        server.ollama
          .requestsTo('/api/chat')
          .at(-1)
          ?.body?.messages?.map(({ role }) => role),
      ).toEqual(roles);
      expect((await told(sessionId)).at(-1)).toBe('assistant: I cannot tell.');
      expect(await server.messages(sessionId)).toHaveLength(4);
    });

    it('answers an edited question', async () => {
      const sessionId = await answered();
      await server.request('PUT', `/sessions/${sessionId}/messages/0`, { content: 'Another question?' });
      server.ollama.reply(text('Another answer.'));
      await post(route, sessionId, { message: null });
      expect(await told(sessionId)).toEqual(['user: Another question?', 'assistant: Another answer.']);
      expect((await tree(sessionId)).messages).toHaveLength(4);
    });

    it('goes on from an inner message where the head was put, tool calls without results included', async () => {
      const sessionId = await server.createSession();
      server.ollama.reply(toolCall('get_weather', { city: 'Paris' }, { id: 'call_a' }), text('Done.'));
      await server.chat(sessionId, { message: 'Weather?' });
      const [, asking] = await server.messages(sessionId);
      await server.request('PUT', `/sessions/${sessionId}/head`, { message_id: asking.message_id });
      server.ollama.reply(text('Without it.'));
      await post(route, sessionId, { message: null, mode: 'continue' });
      const sent = server.ollama.requestsTo('/api/chat').at(-1)?.body?.messages ?? [];
      expect(sent.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool']);
      expect(sent[2]).toMatchObject({ tool_name: 'get_weather', tool_call_id: 'call_a' });
      expect((await told(sessionId)).at(-1)).toBe('assistant: Without it.');
    });
  });
});
