// Cancel, leave, lose: what becomes of a turn whose reader goes; and the ways to read one.
import { describe, expect, it } from 'vitest';
import { type Turn, type TurnEvent, type TurnView } from '../../src/client/index.ts';
import { eventually } from '../support/eventually.ts';
import { spoken } from '../turns/behave.ts';
import { flakyWorld } from './flaky-world.ts';

const world = flakyWorld();
const { mochi } = world;

const stateOf = async (turnId: string) => (await world.server.get(`/turns/${turnId}`)).body.state;
const isText = ({ event }: TurnEvent) => event === 'content_delta';

/** Reads until the model speaks, and breaks off. */
async function readOne(turn: Turn): Promise<string> {
  for await (const event of turn) if (isText(event)) break;
  return turn.id;
}

async function endOf(turnId: string): Promise<void> {
  await eventually(async () => expect(await stateOf(turnId)).not.toBe('running'));
}

describe('cancel', () => {
  it.each([
    ['break', (turn: Turn) => readOne(turn)],
    [
      'an exception',
      async (turn: Turn) => {
        const reading = (async () => {
          for await (const event of turn) if (isText(event)) throw new Error('oh');
        })();
        await expect(reading).rejects.toThrow('oh');
        return turn.id;
      },
    ],
    [
      'break of the texts',
      async (turn: Turn) => {
        for await (const _text of turn.text()) break;
        return turn.id;
      },
    ],
    [
      'break of the views',
      async (turn: Turn) => {
        for await (const { content } of turn.view()) if (content !== '') break;
        return turn.id;
      },
    ],
  ])('is what %s means, and it is asked for until it arrives', async (_what, breakOff) => {
    const turn = mochi().chat.stream(world.sessionId, { message: 'hang 2' });
    await turn.id;
    world.proxy.plan({ refuses: true }, { losesAnswer: true });
    const turnId = await breakOff(turn);
    // `break` has waited for it.
    expect(await stateOf(turnId)).toMatch(/^(cancelled|running)$/);
    await eventually(async () => expect(await stateOf(turnId)).toBe('cancelled'));
    expect((await world.server.messages(world.sessionId)).at(-1)).toMatchObject({
      status: 'partial',
      content: spoken(2),
    });
  });

  it('is what a signal means', async () => {
    const stop = new AbortController();
    const turn = mochi().chat.stream(world.sessionId, { message: 'hang 2' }, { signal: stop.signal });
    const reading = (async () => {
      for await (const event of turn) if (isText(event)) stop.abort(new Error('enough'));
    })();
    await expect(reading).rejects.toThrow('enough');
    await eventually(async () => expect(await stateOf(await turn.id)).toBe('cancelled'));
  });

  it('reaches a turn whose reader left before it was known', async () => {
    const stop = new AbortController();
    const turn = mochi().chat.stream(world.sessionId, { message: 'mute' }, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(turn.answer()).rejects.toThrow('enough');
    const turnId = await turn.id;
    await eventually(async () => expect(await stateOf(turnId)).toBe('cancelled'));
    const gone = new AbortController();
    gone.abort(new Error('never'));
    const never = mochi().chat.stream(world.sessionId, { message: 'Hello' }, { signal: gone.signal });
    await expect(never.answer()).rejects.toThrow('never');
    await expect(never.id).rejects.toThrow('never');
    expect((await world.server.get(`/sessions/${world.sessionId}/turns`)).body.turns).toHaveLength(1);
  });

  it('can be asked of the turn, and answers when it has stopped', async () => {
    const turn = mochi().chat.stream(world.sessionId, { message: 'hang 2' });
    const events: TurnEvent[] = [];
    for await (const event of turn) {
      events.push(event);
      if (isText(event)) world.proxy.plan({ losesAnswer: true });
      if (isText(event)) expect((await turn.cancel({ wait: true })).state).toBe('cancelled');
    }
    expect(events.slice(-2)).toMatchObject([
      { event: 'error', data: { code: 'turn_cancelled' } },
      { event: 'done', data: { state: 'cancelled' } },
    ]);
  });
});

describe('leave', () => {
  it('is what break means where that was said, and always of a turn that is only watched', async () => {
    const turnId = await readOne(
      mochi().chat.stream(world.sessionId, { message: 'hang 2' }, { leave: 'continue' }),
    );
    const watched = mochi().turns.watch(turnId);
    await readOne(watched);
    const stop = new AbortController();
    const third = mochi().turns.watch(turnId, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(third.answer()).rejects.toThrow('enough');
    expect(await stateOf(turnId)).toBe('running');
    await mochi().turns.cancel(turnId, { wait: true });
  });

  it('ends the reading without an error, and the turn goes on', async () => {
    const turn = mochi().chat.stream(world.sessionId, { message: 'pace 40' });
    const seen: string[] = [];
    for await (const text of turn.text()) {
      seen.push(text);
      turn.leave();
    }
    expect(seen.length).toBeLessThan(40);
    await endOf(await turn.id);
    expect((await world.server.messages(world.sessionId)).at(-1)).toMatchObject({
      status: 'complete',
      content: spoken(40),
    });
  });
});

describe('a turn', () => {
  it('has one reader', async () => {
    const turn = mochi().chat.stream(world.sessionId, { message: 'Hello' });
    expect((await turn.answer()).turn_id).toBe(await turn.id);
    expect(() => turn.text()).toThrow(/one reader/);
  });

  it('answers what the plain route answers', async () => {
    const plain = await mochi().chat.send(world.sessionId, { message: 'tool Hello' });
    const streamed = await mochi()
      .chat.stream(await world.server.createSession(), { message: 'tool Hello' })
      .answer();
    expect(Object.keys(streamed).sort()).toEqual(Object.keys(plain).sort());
    expect(streamed.message.content).toBe(plain.message.content);
    expect(streamed.tool_calls_executed).toEqual(plain.tool_calls_executed);
    expect(streamed.context_window).toEqual(plain.context_window);
    const again = await mochi().turns.watch(plain.turn_id).answer();
    expect(again).toEqual(plain);
  });

  it('tells what it failed with, after what it said', async () => {
    const texts: string[] = [];
    const reading = (async () => {
      for await (const text of mochi().chat.stream(world.sessionId, { message: 'fail 2' }).text())
        texts.push(text);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'ollama_error', status: null });
    expect(texts.join('')).toBe(spoken(2));
    const turn = mochi().chat.stream(world.sessionId, { message: 'fail 2' });
    await expect(turn.answer()).rejects.toMatchObject({ code: 'ollama_error', turnId: await turn.id });
  });

  it('shows views of which the newest wins', async () => {
    const views: TurnView[] = [];
    const turn = mochi().chat.stream(world.sessionId, { message: 'pace 40' });
    for await (const view of turn.view()) {
      views.push(view);
      // It is looked at until all has been said.
      if (view.phase === 'generating') await endOf(await turn.id);
    }
    expect(views.at(-1)).toMatchObject({ state: 'completed', phase: null, content: spoken(40), error: null });
    expect(views.at(-1)?.message?.content).toBe(spoken(40));
    expect(views.length).toBeLessThan(40);
    for (const { content } of views) expect(spoken(40).startsWith(content)).toBe(true);
  });

  it('that has ended is told again, and after its last event only how it ended', async () => {
    const plain = await mochi().chat.send(world.sessionId, { message: 'Hello' });
    const { last_event_id: last } = await mochi().turns.get(plain.turn_id);
    const rest = await Array.fromAsync(mochi().turns.watch(plain.turn_id, { after: last }));
    expect(rest).toMatchObject([{ id: last, event: 'done', data: { state: 'completed' } }]);
    expect(await mochi().turns.watch(plain.turn_id, { after: last }).answer()).toEqual(plain);
    await world.server.restart();
    world.proxy.redirect(world.server.url);
    const stored = await Array.fromAsync(mochi().turns.watch(plain.turn_id));
    expect(stored.map(({ event }) => event)).toEqual(['snapshot', 'message_complete', 'done']);
    expect(await mochi().turns.watch(plain.turn_id).answer()).toEqual(plain);
  });

  it('that nobody knows is not found', async () => {
    await expect(mochi().turns.watch('turn_000000000000').answer()).rejects.toMatchObject({
      code: 'turn_not_found',
      status: 404,
    });
  });

  it('that a restart interrupts is a failed one, with its part kept', async () => {
    const turn = mochi().chat.stream(world.sessionId, { message: 'hang 3' });
    const events: TurnEvent[] = [];
    let restarted: Promise<void> | null = null;
    for await (const event of turn) {
      events.push(event);
      if (event.event === 'content_delta' && event.data.content === 't2 ') {
        restarted = world.server.restart().then(() => world.proxy.redirect(world.server.url));
      }
    }
    await restarted;
    expect(events.slice(-2)).toMatchObject([
      { event: 'error', data: { code: 'turn_interrupted' } },
      { event: 'done', data: { state: 'interrupted' } },
    ]);
    expect((await world.server.messages(world.sessionId)).at(-1)).toMatchObject({
      status: 'partial',
      content: spoken(3),
    });
  });
});
