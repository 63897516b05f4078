// What the compiler knows of the client; `tsc` holds these, the runner only loads them.
import { describe, expectTypeOf, it } from 'vitest';
import {
  type ChatAnswer,
  createMochi,
  type Message,
  type MochiError,
  type SessionListItem,
  type TurnEvent,
  type TurnView,
} from '../../src/client/index.ts';

const mochi = createMochi();

describe('the types', () => {
  it('narrow on the name of an event', () => {
    const read = (event: TurnEvent) => {
      expectTypeOf(event.id).toBeNumber();
      if (event.event === 'content_delta') expectTypeOf(event.data.content).toBeString();
      if (event.event === 'done') {
        expectTypeOf(event.data.state).toEqualTypeOf<
          'queued' | 'running' | 'waiting' | 'completed' | 'failed' | 'cancelled' | 'interrupted'
        >();
      }
      if (event.event === 'message_complete') {
        expectTypeOf(event.data.message.parsed).toBeUnknown();
        expectTypeOf(event.data.message.content).toBeString();
      }
      // @ts-expect-error -- No event of ours.
      if (event.event === 'applause') return;
    };
    expectTypeOf(read).toBeFunction();
  });

  it('know what methods answer', () => {
    const send = () => mochi.chat.send('a', { message: 'b', think: 'low' });
    expectTypeOf(send).returns.resolves.toEqualTypeOf<ChatAnswer>();
    const stream = () => mochi.chat.stream('a', { message: null, mode: 'continue' });
    expectTypeOf(stream).returns.toExtend<AsyncIterable<TurnEvent>>();
    type Views = ReturnType<ReturnType<typeof stream>['view']>;
    expectTypeOf<Views>().toEqualTypeOf<AsyncIterable<TurnView>>();
    // @ts-expect-error -- The client decides it.
    const wrong = () => mochi.chat.send('a', { message: 'b', on_disconnect: 'cancel' });
    expectTypeOf(wrong).toBeFunction();
  });

  it('tell pages from items', () => {
    const page = async () => await mochi.sessions.list();
    expectTypeOf(page).returns.resolves.toHaveProperty('next_cursor');
    const items = async () => {
      for await (const item of mochi.sessions.list()) expectTypeOf(item).toEqualTypeOf<SessionListItem>();
      for await (const item of mochi.messages.list('a')) expectTypeOf(item).toEqualTypeOf<Message>();
    };
    expectTypeOf(items).toBeFunction();
  });

  it('complete codes of errors, and take others', () => {
    const read = ({ code, status }: MochiError) => {
      expectTypeOf(status).toEqualTypeOf<number | null>();
      return code === 'session_busy' || code === 'unreachable' || code === 'of_a_later_version';
    };
    expectTypeOf(read).returns.toBeBoolean();
  });
});
