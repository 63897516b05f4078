// Rounds in which people decide: which events tell of it, on every way of watching, and what the model reads.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, toolCalls } from '../fake-ollama/chat-script.ts';
import { askedOf, decide, waitsAt } from '../support/deciding.ts';
import { succeeded } from '../support/scripted-source.ts';
import { shown, startToolServer, type ToolServer } from '../support/server-with-tools.ts';
import { watchAll } from './watching.ts';

/** What becomes of a call. */
const FATES = ['run', 'misfit', 'approve', 'edit', 'respond', 'deny'] as const;
type Fate = (typeof FATES)[number];

const ASKED: readonly Fate[] = ['approve', 'edit', 'respond', 'deny'];
const isAsked = (fate: Fate) => ASKED.includes(fate);

const DECISIONS: Partial<Record<Fate, Record<string, unknown>>> = {
  approve: { decision: 'approve' },
  edit: { decision: 'edit', arguments: { n: 100 } },
  respond: { decision: 'respond', content: 'It is done.' },
  deny: { decision: 'deny', reason: 'not now' },
};

const SCHEMA = { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } };
const NOTE = 'Note: the user changed the arguments to {"n":100}.';

/** What a call ends with, as it is told. */
function endOf(fate: Fate, n: number): { success: boolean; text: string; ran: boolean } {
  switch (fate) {
    case 'run':
    case 'approve':
      return { success: true, text: `did ${n}`, ran: true };
    case 'edit':
      return { success: true, text: `${NOTE}\ndid 100`, ran: true };
    case 'respond':
      return { success: true, text: 'It is done.', ran: false };
    case 'deny':
      return { success: false, text: "Tool 'asks' was denied by user: not now", ran: false };
    case 'misfit':
      return { success: false, text: expect.stringContaining('/n must be integer'), ran: false };
    default:
      return fate satisfies never;
  }
}

/** The events of one call by the table of TOOLS.md §5. @param early decided before its turn came */
function eventsOf(fate: Fate, index: number, early: boolean): unknown[] {
  const name = isAsked(fate) ? 'asks' : 'runs';
  const named = { tool_name: name, tool_call_id: `call_${index}`, call_index: index };
  const { success, text: said, ran } = endOf(fate, index);
  const args = fate === 'misfit' ? { n: 'many' } : { n: fate === 'edit' ? 100 : index };
  const error = success ? null : said;
  const isUntold = isAsked(fate) && early && !ran;
  const result = [
    'tool_result',
    {
      ...named,
      success,
      result: success ? said : '',
      error,
      error_message: error,
      ...((isUntold || fate === 'edit') && { arguments: args }),
      ran,
    },
  ];
  if (isAsked(fate) && !early) {
    const question = {
      ...named,
      arguments: { n: index },
      kind: 'tool',
      rule: 'tool_policies',
      agent_name: null,
      agent_session_id: null,
      expires_at: null,
      confirmation_id: expect.stringMatching(/^conf_[0-9a-f]{12}$/),
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      ran: false,
    };
    return [['status', 'waiting_for_approval'], ['tool_call_confirmation_required', question], result];
  }
  if (isUntold) return [result];
  return [['tool_call', { ...named, arguments: args, ran }], result];
}

const executedOf = (fates: readonly Fate[]) =>
  fates.map((fate, index) => ({
    name: isAsked(fate) ? 'asks' : 'runs',
    arguments: fate === 'misfit' ? { n: 'many' } : { n: fate === 'edit' ? 100 : index },
    success: endOf(fate, index).success,
  }));

const withoutPhases = (events: readonly unknown[]) =>
  events.filter(
    ([event, data]: any) =>
      !['context', 'turn_start'].includes(event) && (event !== 'status' || data === 'waiting_for_approval'),
  );

describe('a round that people decide about', () => {
  let server: ToolServer;
  beforeAll(async () => {
    const tool = {
      inputSchema: SCHEMA,
      run: async ({ n }: Readonly<Record<string, unknown>>) => succeeded(`did ${Number(n)}`),
    };
    server = await startToolServer([
      { name: 'runs', ...tool },
      { name: 'asks', ...tool },
    ]);
  });
  afterAll(() => server.close());

  const session = () =>
    server.toolSession(['runs', 'asks'], { tool_settings: { tool_policies: { asks: 'always_confirm' } } });
  const script = (fates: readonly Fate[]) =>
    server.ollama.reply(
      toolCalls(
        fates.map((fate, index) => ({
          name: isAsked(fate) ? 'asks' : 'runs',
          args: { n: fate === 'misfit' ? 'many' : index },
          id: `call_${index}`,
        })),
      ),
      text('Done.'),
    );

  /** Decides each when it is asked for; those of `early` together with the first. */
  async function decideAll(sessionId: string, fates: readonly Fate[], early: readonly boolean[]) {
    const asked = fates.flatMap((fate, index) => (isAsked(fate) ? [{ fate, index }] : []));
    let left = asked.length;
    let isFirst = true;
    for (const { fate, index } of asked) {
      if (early[index] === true && !isFirst) continue;
      const pending = await askedOf(server, sessionId, left);
      await waitsAt(server, sessionId, index);
      const of = (at: number) => pending.find(({ call_index }: any) => call_index === at).confirmation_id;
      if (isFirst) {
        // The later first: decisions come in any order.
        for (const other of asked.toReversed()) {
          if (other.index === index || early[other.index] !== true) continue;
          await decide(server, of(other.index), DECISIONS[other.fate] ?? {});
          left -= 1;
        }
        isFirst = false;
      }
      await decide(server, of(index), DECISIONS[fate] ?? {});
      left -= 1;
    }
  }

  it('is told by the table, streamed, watched again, from rows and plain, whatever becomes of which call', async () => {
    const ended: { turnId: string; live: any[]; fates: readonly Fate[] }[] = [];
    const rounds = fc.array(fc.record({ fate: fc.constantFrom(...FATES), early: fc.boolean() }), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(rounds, async (calls) => {
        const fates = calls.map(({ fate }) => fate);
        const firstAsked = fates.findIndex(isAsked);
        const early = calls.map((call, index) => call.early && index !== firstAsked);
        const sessionId = await session();
        script(fates);
        const [live] = await Promise.all([
          server.told(sessionId, { message: 'Go.' }),
          decideAll(sessionId, fates, early),
        ]);
        const isTold = ([event]: any, index: number, all: any[]) =>
          // Told anew when another one is decided: how often is a matter of chance.
          event !== 'status' || all[index + 1]?.[0] === 'tool_call_confirmation_required';
        expect(withoutPhases(shown(live)).filter(isTold)).toEqual([
          ...fates.flatMap((fate, index) => eventsOf(fate, index, early[index] === true)),
          ['tool_continuation_start', { tool_count: fates.length, message: 'Processing tool results...' }],
          ['content_delta', 'Done.'],
          ['message_complete', 'Done.'],
          ['done', 'completed'],
        ]);
        const turnId = live[0]?.data.turn_id;
        expect(await watchAll(server, turnId)).toEqual(live);
        ended.push({ turnId, live, fates });

        const contents = (await server.messages(sessionId)).filter(({ role }) => role === 'tool');
        expect(contents.map(({ content }) => content)).toEqual(
          fates.map((fate, index) =>
            fate === 'misfit' ? expect.stringMatching(/^Error: /) : endOf(fate, index).text,
          ),
        );

        script(fates);
        const other = await session();
        const [plain] = await Promise.all([
          server.chat(other, { message: 'Go.', on_approval: 'wait' }),
          decideAll(other, fates, early),
        ]);
        expect(plain.body.tool_calls_executed).toEqual(executedOf(fates));
      }),
      { numRuns: 15 },
    );
    await server.restart();
    for (const { turnId, live, fates } of ended) {
      const [snapshot, ...closing] = await watchAll(server, turnId);
      expect(closing).toEqual(live.slice(-2));
      expect(
        snapshot?.data.tool_calls.map(({ tool_name: name, arguments: args, success }: any) => ({
          name,
          arguments: args,
          success,
        })),
      ).toEqual(executedOf(fates));
      expect(snapshot?.data.approvals).toEqual([]);
    }
  }, 60_000);
});
