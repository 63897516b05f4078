// What models are offered: the session's tools in its order, planned for, compared, and told in the receipt.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { defaultModels } from '../fake-ollama/fake-model.ts';
import { ADD, startToolServer, type ToolServer } from '../support/server-with-tools.ts';

const SMALL = { name: 'small:latest', capabilities: ['completion', 'tools'], contextLength: 2048 };
const UNTOLD = { name: 'untold:latest', capabilities: ['completion'], showsCapabilities: false };

describe('tools in what the engine is sent', () => {
  let server: ToolServer;
  beforeAll(async () => {
    const read = { name: 'read_file', description: 'Reads a file.' };
    const write = { name: 'read_line', inputSchema: { type: 'object', properties: { n: { const: 1 } } } };
    const wordy = { name: 'wordy', description: 'many words '.repeat(200) };
    const huge = { name: 'huge', description: 'words '.repeat(3000) };
    server = await startToolServer([ADD, read, write, wordy, huge], {
      ollama: { models: [...defaultModels, SMALL, UNTOLD] },
    });
  });
  afterAll(() => server.close());
  beforeEach(() => {
    server.ollama.requests.length = 0;
  });
  const sent = () => server.ollama.requestsTo('/api/chat').map(({ body }) => body as any);
  const namesIn = (body: any) => body.tools?.map((tool: any) => tool.function.name);

  it('as Ollama reads them, in the order of the session; globs in the order of the names', async () => {
    const sessionId = await server.toolSession(['wordy', 'read_*', 'add_numbers', 'nobody', 'mcp__none']);
    const { body } = await server.chat(sessionId, { message: 'Hi' });
    expect(namesIn(sent()[0])).toEqual(['wordy', 'read_file', 'read_line', 'add_numbers']);
    expect(sent()[0].tools.slice(2)).toEqual([
      {
        type: 'function',
        function: {
          name: 'read_line',
          description: 'What read_line does.',
          parameters: { type: 'object', properties: { n: { type: 'integer', enum: [1] } } },
        },
      },
      {
        type: 'function',
        function: {
          name: 'add_numbers',
          description: 'What add_numbers does.',
          parameters: {
            type: 'object',
            required: ['a', 'b'],
            properties: { a: { type: 'integer' }, b: { type: 'integer' } },
          },
        },
      },
    ]);
    expect(body.context).toMatchObject({
      tools_offered: ['wordy', 'read_file', 'read_line', 'add_numbers'],
      tools_missing: ['nobody', 'mcp__none'],
    });
    expect(body.context.tools_tokens).toBeGreaterThan(500);
  });

  it('a session without tools sends none, and its receipt has no word about them', async () => {
    const { body } = await server.chat(await server.createSession(), { message: 'Hi' });
    expect(sent()[0]).not.toHaveProperty('tools');
    expect(Object.keys(body.context).filter((key) => key.startsWith('tools'))).toEqual([]);
  });

  it.each(['tiny', 'untold'])(
    '%s cannot call tools: it gets none and answers; the receipt says so',
    async (model) => {
      const sessionId = await server.toolSession(['add_numbers'], { model });
      for (const message of ['Hi', 'And?']) {
        const { body } = await server.chat(sessionId, { message });
        expect(body.context).toMatchObject({ tools_offered: [], tools_missing: [], tools_tokens: 0 });
        expect(namesIn(sent().at(-1))).toBeUndefined();
      }
      // What nobody had told was tried, once.
      expect(sent()).toHaveLength(model === 'untold' ? 3 : 2);
    },
  );

  it('the status of a session says why its tools may not serve', async () => {
    const warningsOf = async (id: string) => (await server.get(`/sessions/${id}/status`)).body.tool_warnings;
    expect(await warningsOf(await server.toolSession(['add_numbers']))).toEqual([]);
    expect(await warningsOf(await server.createSession({ model: 'tiny' }))).toEqual([]);
    const tiny = await server.toolSession(['add_numbers'], { model: 'tiny' });
    expect(await warningsOf(tiny)).toEqual([expect.stringMatching(/^The model tiny.* cannot call tools/)]);
    const many = Array.from({ length: 17 }, (_, number) => `tool_${number}`);
    expect(await warningsOf(await server.toolSession(many.slice(1)))).toEqual([]);
    expect(await warningsOf(await server.toolSession(many))).toEqual([expect.stringContaining('17 tools')]);
  });

  it('they count: in the plan of the prompt, and in what a message may take', async () => {
    const without = await server.chat(await server.createSession(), { message: 'Hi' });
    const beside = await server.chat(await server.toolSession(['wordy']), { message: 'Hi' });
    const { planned_tokens: planned, tools_tokens: tools } = beside.body.context;
    expect(planned - tools).toBe(without.body.context.planned_tokens);
    const sessionId = await server.toolSession(['huge'], { model: 'small' });
    const refused = await server.post(`/chat/${sessionId}`, { message: 'Hi' });
    expect([refused.status, refused.body.detail.error.code]).toEqual([400, 'context_overflow']);
    expect(refused.body.detail.error.message).toMatch(/beside the tools of about \d+,.* Offer fewer tools,/);
    expect(await server.messages(sessionId)).toEqual([]);
  });

  it('a prompt with other tools than the one before is read anew, and says why', async () => {
    const sessionId = await server.toolSession(['add_numbers']);
    const breaks: unknown[] = [];
    const say = async (changes: object = {}) => {
      const { body } = await server.chat(sessionId, { message: 'Hi', ...changes });
      breaks.push([body.context.cache_break, body.context.prefix_reused > 0]);
    };
    await say();
    await say();
    await say({ tool_settings: { tools: ['add_numbers', 'read_file'] } });
    await say();
    await server.request('PATCH', `/sessions/${sessionId}`, { tool_settings: { tools: [] } });
    await say();
    await say();
    expect(breaks).toEqual([
      [null, false],
      [null, true],
      ['tools', false],
      ['tools', false],
      ['tools', false],
      [null, true],
    ]);
  });

  it('a round goes on from its own prompt', async () => {
    const sessionId = await server.toolSession(['add_numbers']);
    server.ollama.reply(toolCall('add_numbers', { a: 1, b: 2 }), text('Three.'));
    const { body } = await server.chat(sessionId, { message: 'Add.' });
    expect(body.context).toMatchObject({ cache_break: null, prefix_reused: 1, messages_sent: 3 });
    expect(sent().map(namesIn)).toEqual([['add_numbers'], ['add_numbers']]);
  });

  it('a preview shows them as the chat sends them', async () => {
    const sessionId = await server.toolSession(['read_*']);
    const preview = await server.post(`/chat/${sessionId}/preview`, { message: 'Hi' });
    expect(preview.status).toBe(200);
    await server.chat(sessionId, { message: 'Hi' });
    expect(preview.body.engine_request).toEqual(sent()[0]);
    expect(preview.body.context.tools_offered).toEqual(['read_file', 'read_line']);
  });

  it('what a model without tools calls all the same is answered', async () => {
    const sessionId = await server.toolSession(['add_numbers'], { model: 'tiny' });
    server.ollama.reply(toolCall('add_numbers', { a: 1, b: 2 }), text('Oh.'));
    const { body } = await server.chat(sessionId, { message: 'Add.' });
    expect(body.tool_calls_executed).toEqual([
      { name: 'add_numbers', arguments: { a: 1, b: 2 }, success: false },
    ]);
  });
});
