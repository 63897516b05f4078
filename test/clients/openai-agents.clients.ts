// OpenAI's Agents SDK, pointed at this server by its address and nothing else.
import {
  Agent,
  handoff,
  MemorySession,
  type Model,
  OpenAIChatCompletionsModel,
  OpenAIConversationsSession,
  OpenAIResponsesModel,
  Runner,
  tool,
} from '@openai/agents';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { text, thinking, toolCall, toolCalls } from '../fake-ollama/chat-script.ts';
import { cutAfter, script } from '../fake-ollama/script-modifiers.ts';
import { succeeded } from '../support/scripted-source.ts';
import { startToolServer, type ToolServer } from '../support/server-with-tools.ts';
import { expectSaid } from './read-everywhere.ts';

const MODEL = 'qwen3:14b';
const runner = new Runner({ tracingDisabled: true });

let server: ToolServer;
let client: OpenAI;
beforeAll(async () => {
  server = await startToolServer([{ name: 'clock', run: async () => succeeded('noon') }]);
  client = clientWith({});
});
afterAll(() => server.close());
beforeEach(() => {
  server.ollama.requests.length = 0;
});

const clientWith = (defaultHeaders: Record<string, string>) =>
  new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'unused', maxRetries: 0, defaultHeaders });
const MODELS: Record<string, (own?: OpenAI) => Model> = {
  'chat completions': (own = client) => new OpenAIChatCompletionsModel(own, MODEL),
  responses: (own = client) => new OpenAIResponsesModel(own, MODEL),
};

/** The last prompt, each message as its role and text. */
function asked(): string[] {
  const { body } = server.ollama.requestsTo('/api/chat').at(-1) ?? {};
  const { messages } = body as { messages: { role: string; content: string }[] };
  return messages.map(({ role, content }) => `${role}: ${content}`);
}

const weather = (ran: string[] = []) =>
  tool({
    name: 'weather',
    description: 'The weather of a city.',
    parameters: z.object({ city: z.string() }),
    execute: async ({ city }) => {
      ran.push(city);
      return `sun in ${city}`;
    },
  });
const call = (city: string) => ({ name: 'weather', args: { city } });

describe.each(Object.entries(MODELS))('an agent on %s', (name, open) => {
  it('runs tools, one and two, and ends with an answer', async () => {
    const ran: string[] = [];
    server.ollama.reply(toolCalls([call('Bern')]), toolCalls([call('Rome'), call('Paris')]), text('Sunny.'));
    const agent = new Agent({
      name: 'guide',
      model: open(),
      instructions: 'Be brief.',
      tools: [weather(ran)],
    });
    const { finalOutput, state } = await runner.run(agent, 'The weather?');
    expect(finalOutput).toBe('Sunny.');
    expect(ran).toEqual(['Bern', 'Rome', 'Paris']);
    expect(state.usage.requests).toBe(3);
    expect(state.usage.outputTokens).toBeGreaterThan(0);
    expect(asked()).toEqual([
      'system: Be brief.',
      'user: The weather?',
      'assistant: ',
      'tool: sun in Bern',
      'assistant: ',
      'tool: sun in Rome',
      'tool: sun in Paris',
    ]);
  });

  it('streams, and hands its thoughts back with the next question', async () => {
    server.ollama.reply(thinking(['A town.'], ['Par', 'is.']), text('Berlin.'));
    const agent = new Agent({ name: 'guide', model: open() });
    const first = await runner.run(agent, 'The capital of France?', { stream: true });
    const pieces = await Array.fromAsync(first.toTextStream() as AsyncIterable<string>);
    await first.completed;
    expect(pieces.join('')).toBe('Paris.');
    expect(first.newItems.map(({ type }) => type)).toEqual(['reasoning_item', 'message_output_item']);
    const next = await runner.run(agent, [...first.history, { role: 'user', content: 'And of Germany?' }]);
    expect(next.finalOutput).toBe('Berlin.');
    expect(asked()).toEqual(['user: The capital of France?', 'assistant: Paris.', 'user: And of Germany?']);
  });

  it('fits the type of its output', async () => {
    server.ollama.reply(text('{"city":"Paris"}'));
    const agent = new Agent({ name: 'guide', model: open(), outputType: z.object({ city: z.string() }) });
    const { finalOutput } = await runner.run(agent, 'The capital of France?');
    expect(finalOutput).toEqual({ city: 'Paris' });
  });

  it('hands over to another agent', async () => {
    server.ollama.reply(toolCall('transfer_to_poet', {}), text('O Paris.'));
    const poet = new Agent({ name: 'poet', model: open(), instructions: 'Rhyme.' });
    const agent = new Agent({ name: 'guide', model: open(), handoffs: [handoff(poet)] });
    const { finalOutput, lastAgent } = await runner.run(agent, 'A poem on Paris.');
    expect([finalOutput, lastAgent?.name]).toEqual(['O Paris.', 'poet']);
    expect(asked()[0]).toBe('system: Rhyme.');
  });

  it('has to call a tool that is forced', async () => {
    server.ollama.reply(text('{"city":"Paris"}'));
    const agent = new Agent({
      name: 'guide',
      model: open(),
      tools: [weather()],
      modelSettings: { toolChoice: 'weather' },
      toolUseBehavior: 'stop_on_first_tool',
    });
    expect((await runner.run(agent, 'The weather?')).finalOutput).toBe('sun in Paris');
  });

  it('fails with the words of this server, before and in the stream', async () => {
    const agent = new Agent({ name: 'guide', model: open() });
    server.ollama.reply(script(text('Par', 'is.'), cutAfter(1)));
    const broken = await runner.run(agent, 'x', { stream: true });
    let seen = '';
    const read = async () => {
      for await (const piece of broken.toTextStream() as AsyncIterable<string>) seen += piece;
      await broken.completed;
    };
    await expect(read()).rejects.toThrow(/ended early|response.failed/i);
    expect(seen).toBe('Par');
  });

  it('keeps one conversation in a session that is named, as every dialect reads it', async () => {
    const session = `agents:${name.replaceAll(' ', '-')}`;
    const model = open(clientWith({ 'x-mochi-session': session }));
    server.ollama.reply(toolCall('weather', { city: 'Bern' }), text('Sunny.'), text('You are welcome.'));
    const agent = new Agent({ name: 'guide', model, tools: [weather()] });
    const memory = new MemorySession();
    await runner.run(agent, 'The weather?', { session: memory });
    await runner.run(agent, 'Thanks.', { session: memory });
    await expectSaid(server, session, [
      ['user', 'The weather?'],
      ['call', 'weather {"city":"Bern"}'],
      ['tool', 'sun in Bern'],
      ['assistant', 'Sunny.'],
      ['user', 'Thanks.'],
      ['assistant', 'You are welcome.'],
    ]);
  });
});

describe('state that is kept here', () => {
  const agentOf = () =>
    new Agent({ name: 'guide', model: MODELS['responses']?.() as Model, tools: [weather()] });

  it('goes on from the response before', async () => {
    server.ollama.reply(toolCall('weather', { city: 'Bern' }), text('Sunny.'), text('Welcome.'));
    const first = await runner.run(agentOf(), 'The weather?');
    const next = await runner.run(agentOf(), 'Thanks.', { previousResponseId: first.lastResponseId ?? '' });
    expect(next.finalOutput).toBe('Welcome.');
    expect(asked()).toEqual([
      'user: The weather?',
      'assistant: ',
      'tool: sun in Bern',
      'assistant: Sunny.',
      'user: Thanks.',
    ]);
  });

  it.each([
    ['by its id', async (id: string) => ({ conversationId: id })],
    [
      "as the SDK's session",
      async (id: string) => ({
        session: new OpenAIConversationsSession({ client, conversationId: id }),
      }),
    ],
  ])('is a conversation %s, with tools', async (_how, optionsOf) => {
    server.ollama.reply(toolCall('weather', { city: 'Bern' }), text('Sunny.'), text('Welcome.'));
    const { id } = await client.conversations.create({});
    await runner.run(agentOf(), 'The weather?', await optionsOf(id));
    await runner.run(agentOf(), 'Thanks.', await optionsOf(id));
    expect(asked()).toEqual([
      'user: The weather?',
      'assistant: ',
      'tool: sun in Bern',
      'assistant: Sunny.',
      'user: Thanks.',
    ]);
    await expectSaid(server, id.replace('conv_', ''), [
      ['user', 'The weather?'],
      ['call', 'weather {"city":"Bern"}'],
      ['tool', 'sun in Bern'],
      ['assistant', 'Sunny.'],
      ['user', 'Thanks.'],
      ['assistant', 'Welcome.'],
    ]);
  });

  it('shows tools that ran here, and reads them again', async () => {
    const { id } = await client.conversations.create({});
    await server.request('PATCH', `/sessions/${id.replace('conv_', '')}`, {
      tool_settings: { tools: ['clock'], execution_policy: 'never_confirm' },
    });
    server.ollama.reply(toolCall('clock', {}), text('Noon.'), text('Welcome.'));
    const { newItems } = await runner.run(agentOf(), 'The time?', { conversationId: id });
    expect(newItems.map(({ type }) => type)).toEqual(['tool_call_item', 'message_output_item']);
    const session = new OpenAIConversationsSession({ client, conversationId: id });
    expect(await session.getItems()).not.toHaveLength(0);
    const next = await runner.run(agentOf(), 'Thanks.', { conversationId: id });
    expect(next.finalOutput).toBe('Welcome.');
  });
});
