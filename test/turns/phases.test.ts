// No client stares at silence: every phase is told when it begins.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { finalFields, script } from '../fake-ollama/script-modifiers.ts';
import type { StreamedEvent } from '../support/read-events.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { behave } from './behave.ts';
import { isNamed, isPhase, phasesOf, readUntil } from './watching.ts';

/** A prompt of a hundred tokens read in a fifth of a second; nanoseconds. */
const measured = finalFields({
  prompt_eval_count: 100,
  prompt_eval_duration: 200_000_000,
  load_duration: 3_000_000_000,
  eval_count: 2,
});

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault(behave);
});
afterAll(() => server.close());

async function streamAll(sessionId: string, body: Record<string, unknown>): Promise<StreamedEvent[]> {
  return (await server.stream(`/chat/${sessionId}/stream`, body)).all();
}

const waitingOf = (events: readonly StreamedEvent[]) => events.find(isNamed('status'))?.data;

describe('phases', () => {
  it('a model that nobody used yet loads; then it reads the prompt, for as long as was measured', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(script(text('Fine'), measured));
    const first = await streamAll(sessionId, { message: 'Hello' });
    expect(phasesOf(first)).toEqual(['loading_model', 'generating']);
    expect(waitingOf(first)).toEqual({ phase: 'loading_model' });

    const second = await streamAll(sessionId, { message: 'And again' });
    expect(phasesOf(second)).toEqual(['evaluating_prompt', 'generating']);
    const planned = second.find(isNamed('context'))?.data.planned_tokens;
    expect(waitingOf(second)).toEqual({ phase: 'evaluating_prompt', estimate_ms: Math.round(planned * 2) });
  });

  it('another window means loading, for as long as it took', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(script(text('Fine'), measured));
    await streamAll(sessionId, { message: 'Hello' });
    const events = await streamAll(sessionId, { message: 'Wide', options: { num_ctx: 20_000 } });
    expect(waitingOf(events)).toEqual({ phase: 'loading_model', estimate_ms: 3000 });
    // The larger window holds the next turn as well; a smaller one by hand is another load.
    const back = await streamAll(sessionId, { message: 'Back' });
    expect(waitingOf(back)?.phase).toBe('evaluating_prompt');
    const small = await streamAll(sessionId, { message: 'Small', options: { num_ctx: 4096 } });
    expect(waitingOf(small)?.phase).toBe('loading_model');
  });

  it('generating names the message that is written, in every step', async () => {
    const sessionId = await server.createSession();
    const events = await streamAll(sessionId, { message: 'tool and then answer' });
    expect(phasesOf(events)).toEqual([
      expect.stringMatching(/^(loading_model|evaluating_prompt)$/),
      'generating',
      'running_tool',
      'evaluating_prompt',
      'generating',
    ]);
    const written = events.filter(isPhase('generating')).map(({ data }) => data.message_id);
    const answers = (await server.messages(sessionId)).filter(({ role }) => role === 'assistant');
    expect(written).toEqual(answers.map((message) => message.message_id));
    expect(events.find(isNamed('message_complete'))?.data.message_id).toBe(written.at(-1));
    const names = events.map(({ event, data }) => data.phase ?? event);
    expect(names.indexOf('running_tool')).toBeLessThan(names.indexOf('tool_call'));
    expect(names.indexOf('generating')).toBeLessThan(names.indexOf('running_tool'));
  });

  it('are told before the engine says a word', async () => {
    const sessionId = await server.createSession();
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'mute' });
    const seen = await readUntil(stream, ({ data }) => data.phase !== undefined);
    expect(seen.map(({ event }) => event)).toEqual(['turn_start', 'context', 'status']);
    stream.abort();
  });

  it('a queued turn says so first, then goes through the others', async () => {
    const sessionId = await server.createSession();
    const holder = await server.stream(`/chat/${sessionId}/stream`, { message: 'hang 1' });
    await readUntil(holder, isNamed('content_delta'));
    const queued = await server.stream(`/chat/${sessionId}/stream`, { message: 'Next' });
    const seen = await readUntil(queued, isPhase('queued'));
    expect(seen.map(({ event }) => event)).toEqual(['turn_start', 'status']);
    holder.abort();
    const phases = phasesOf([...seen, ...(await queued.all())]);
    expect(phases).toEqual(['queued', 'evaluating_prompt', 'generating']);
  });
});
