// What the client must do in every runtime: no test library, nothing of Node. Runs as a script, a page or a worker.
import { createChatStore } from '../../../src/client/chat-store.ts';
import { createMochi, isMochiError } from '../../../src/client/index.ts';

export interface Servers {
  readonly direct: string;
  /** The same one, behind connections that are cut and refused. */
  readonly flaky: string;
}

/** @returns what was done. @throws Error what was not */
export async function runSpec({ direct, flaky }: Servers): Promise<string[]> {
  const done: string[] = [];
  for (const [name, run] of Object.entries(CHECKS)) {
    try {
      await run({ direct, flaky });
      done.push(name);
    } catch (error) {
      throw new Error(`${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, {
        cause: error,
      });
    }
  }
  return done;
}

/** What the model says to `pace 60`. */
const SPOKEN = Array.from({ length: 60 }, (_, index) => `t${index} `).join('');
const RETRY = { firstDelayMs: 20 };

const CHECKS: Readonly<Record<string, (servers: Servers) => Promise<void>>> = {
  async 'a stream through a network that fails: every event once, in order'({ direct, flaky }) {
    const id = await newSession(direct);
    let reconnects = 0;
    const mochi = createMochi({ baseUrl: flaky, retry: RETRY, onReconnect: () => (reconnects += 1) });
    const ids: number[] = [];
    let text = '';
    for await (const event of mochi.chat.stream(id, { message: 'pace 60' })) {
      ids.push(event.id);
      if (event.event === 'content_delta') text += event.data.content;
    }
    same(text, SPOKEN);
    same(ids.join(), ids.map((_, index) => index + 1).join());
    if (reconnects < 2) throw new Error(`only ${reconnects} connections were lost`);
    const { messages } = await createMochi({ baseUrl: direct }).messages.list(id);
    same(messages.map(({ role }) => role).join(), 'user,assistant');
  },

  async 'a stream that is broken off is cancelled'({ direct, flaky }) {
    const mochi = createMochi({ baseUrl: flaky, retry: RETRY });
    const turn = mochi.chat.stream(await newSession(direct), { message: 'hang 2' });
    for await (const text of turn.text()) if (text !== '') break;
    const { state } = await createMochi({ baseUrl: direct }).turns.cancel(await turn.id, { wait: true });
    same(state, 'cancelled');
  },

  async 'a turn that is polled'({ direct }) {
    const id = await newSession(direct);
    const turnId = await createMochi({ baseUrl: direct }).chat.stream(
      id,
      { message: 'pace 60' },
      { leave: 'continue' },
    ).id;
    const answer = await createMochi({ baseUrl: direct, transport: 'poll' }).turns.watch(turnId).answer();
    same(answer.message.content, SPOKEN);
  },

  async 'an answer in one piece, and what the server refuses'({ direct }) {
    const mochi = createMochi({ baseUrl: direct });
    same((await mochi.chat.send(await newSession(direct), { message: 'Hello' })).message.content, 'Fine.');
    const error = await mochi.sessions.get('nothing').then(
      () => null,
      (thrown: unknown) => thrown,
    );
    if (!isMochiError(error)) throw new Error('no error of ours', { cause: error });
    same(`${error.code} ${error.status}`, 'session_not_found 404');
  },

  async 'a conversation as state'({ direct, flaky }) {
    const mochi = createMochi({ baseUrl: flaky, retry: RETRY });
    const store = createChatStore(mochi, { sessionId: await newSession(direct) });
    await store.send('pace 60');
    const { rows, problem } = store.getState();
    store.close();
    same([...rows.values()].map(({ content }) => content).join('|'), `pace 60|${SPOKEN}`);
    same(String(problem), 'null');
  },
};

async function newSession(baseUrl: string): Promise<string> {
  return (await createMochi({ baseUrl }).sessions.create({ model: 'llama3.2:latest' })).session_id;
}

function same(given: string, expected: string): void {
  if (given !== expected) throw new Error(`${JSON.stringify(given)} instead of ${JSON.stringify(expected)}`);
}
