// Random sessions written straight into the store: every column that a session can fill, in every way it can.
import fc from 'fast-check';
import { FINISH_REASONS } from '../../src/contract/message.ts';
import { formatMicroseconds } from '../../src/kit/clock.ts';
import { appendToPath, moveHead } from '../../src/store/active-path.ts';
import type { Db } from '../../src/store/database.ts';
import { insertMessage } from '../../src/store/insert-messages.ts';
import { SYSTEM_DEPTH } from '../../src/store/messages.ts';
import type { PathPlace } from '../../src/store/path-place.ts';
import { insertSession, updateSession } from '../../src/store/sessions.ts';
import { answerToolCall, insertToolCalls } from '../../src/store/tool-calls.ts';
import { finishTurn, insertTurn } from '../../src/store/turns.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom('', '\u0000', '\u2028\r\n\u0085', '{"type":"session"}\n', '👩‍👩‍👧', '__proto__'),
);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const count = fc.nat();
const instant = fc
  .integer({ min: 0, max: 4_000_000_000_000_000 })
  .map((microseconds) => formatMicroseconds(microseconds));
const object = fc.dictionary(text, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 3 }) as fc.Arbitrary<
  Record<string, unknown>
>;

const settings = fc.record({
  model: fc.string({ minLength: 1, maxLength: 20 }),
  createdAt: instant,
  updatedAt: instant,
  title: maybe(text),
  metadata: object,
  toolSettings: fc.record({
    tools: fc.array(text, { maxLength: 3 }),
    execution_policy: fc.constantFrom('always_confirm' as const, 'never_confirm' as const),
    tool_policies: fc.dictionary(fc.string({ maxLength: 5 }), fc.constant('never_confirm' as const), {
      maxKeys: 2,
    }),
  }),
  agentSettings: fc.record({ enabled_agents: fc.array(text, { maxLength: 2 }) }),
  contextWindow: fc.record({
    dynamic_enabled: fc.boolean(),
    current_window: fc.integer({ min: 4, max: 100_000 }),
    last_adjustment: fc.constantFrom('initial_setup' as const, 'manual_override' as const),
    adjustment_history: fc.array(
      fc.record({ reason: text, window: count, usage_tokens: count, timestamp: maybe(instant) }),
      { maxLength: 2 },
    ),
    manual_override: fc.boolean(),
  }),
  summary: maybe(fc.record({ summary: text, topics: fc.array(text, { maxLength: 2 }) })),
  summaryModel: maybe(text),
  extra: maybe(object),
  clientKey: maybe(fc.uuid()),
  isListed: fc.boolean(),
});

/** An attempt to run a call. */
const execution = fc.record({
  tool: text,
  source: fc.record({ kind: fc.constantFrom('python', 'mcp'), group: text }),
  arguments: object,
  digest: text,
  fingerprint: text,
  read_only: fc.constantFrom(0, 1),
  state: fc.constantFrom('succeeded' as const, 'failed' as const, 'unknown' as const, 'asked' as const),
  started_at: instant,
  finished_at: maybe(instant),
  duration_ms: maybe(count),
  error: maybe(text),
  repairs: fc.array(text, { maxLength: 2 }),
  truncated: fc.constantFrom(0, 1),
  is_retried: fc.constantFrom(0, 1),
  result_bytes: maybe(count),
  output: maybe(text),
  log: maybe(text),
});

const call = fc.record({
  id: text,
  name: text,
  arguments: fc.oneof(object, text),
  success: fc.boolean(),
  planned: maybe(
    fc.record({
      digest: maybe(text),
      verdict: fc.constantFrom('run' as const, 'ask' as const, 'refuse' as const),
      rule: text,
      repairs: fc.array(text, { maxLength: 2 }),
      mcp_state: maybe(text),
    }),
  ),
  executions: fc.array(execution, { maxLength: 2 }),
});

/** What is done to the session, in order. `at` chooses among the messages that are there. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('user' as const),
      at: count,
      content: text,
      images: fc.array(text, { maxLength: 2 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      at: count,
      content: text,
      thinking: maybe(text),
      evalCount: maybe(count),
      finishReason: maybe(fc.constantFrom(...FINISH_REASONS)),
      status: fc.constantFrom('complete' as const, 'partial' as const),
      calls: fc.array(call, { maxLength: 3 }),
      extra: maybe(object),
      usage: maybe(fc.record({ prompt_tokens: count, total_tokens: maybe(count) })),
      error: maybe(fc.record({ code: text, message: text, details: object })),
      state: fc.constantFrom('completed' as const, 'failed' as const, 'interrupted' as const),
      isStructured: fc.boolean(),
      settings: maybe(object),
      onDisconnect: maybe(fc.constantFrom('cancel' as const, 'continue' as const)),
      key: maybe(text),
      time: instant,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('system' as const), content: text, sourceFile: maybe(text) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('head' as const), at: count }) },
);

export const randomSession = fc.record({
  settings,
  steps: fc.array(step, { maxLength: 12 }),
});
type RandomSession = typeof randomSession extends fc.Arbitrary<infer T> ? T : never;

let lastId = 0;
const nextId = (prefix = '') => `${prefix}${(++lastId).toString(16).padStart(10, '0')}`;

/** @returns the id */
export async function storeRandomSession(db: Db, random: RandomSession): Promise<string> {
  return db.transaction().execute((transaction) => store(transaction, random));
}

async function store(db: Db, { settings, steps }: RandomSession): Promise<string> {
  const sessionId = nextId();
  await insertSession(db, { id: sessionId, ...settings });
  const places: PathPlace[] = [];
  const choose = (at: number) => places[at % (places.length + 1)] ?? null;
  let hasSystem = false;
  for (const one of steps) {
    switch (one.kind) {
      case 'system': {
        if (hasSystem) break;
        hasSystem = true;
        const id = nextId();
        await insertMessage(db, {
          sessionId,
          id,
          parentId: null,
          depth: SYSTEM_DEPTH,
          active: true,
          role: 'system',
          content: one.content,
          timestamp: settings.createdAt,
          status: 'complete',
          sourceFile: one.sourceFile,
        });
        await updateSession(db, sessionId, { system_id: id });
        break;
      }
      case 'head':
        await moveHead(db, sessionId, choose(one.at), settings.updatedAt);
        break;
      case 'user':
        places.push(
          await append(db, sessionId, choose(one.at), {
            role: 'user',
            content: one.content,
            images: one.images,
          }),
        );
        break;
      default: {
        const turnId = nextId('turn_');
        const { calls, time } = one;
        await insertTurn(db, {
          id: turnId,
          sessionId,
          state: 'running',
          createdAt: time,
          request: null,
          userMessageId: choose(one.at)?.id ?? null,
          idempotency: one.key === null ? null : { key: one.key, hash: 'abc' },
          isStructured: one.isStructured,
        });
        let place = await append(db, sessionId, choose(one.at), {
          role: 'assistant',
          content: one.content,
          thinking: one.thinking,
          model: settings.model,
          evalCount: one.evalCount,
          promptEvalCount: one.evalCount,
          finishReason: one.finishReason,
          status: one.status,
          extra: one.extra,
          turnId,
          toolCalls:
            calls.length === 0
              ? null
              : calls.map(({ name, arguments: given }) => ({
                  function: { name, arguments: typeof given === 'string' ? {} : given },
                })),
        });
        const messageId = place.id;
        places.push(place);
        await insertToolCalls(db, { sessionId, messageId }, calls);
        for (const [callIndex, { id, name, success, planned, executions }] of calls.entries()) {
          await storeJournal(db, { sessionId, messageId, callIndex }, { planned, executions });
          place = await append(db, sessionId, place, {
            role: 'tool',
            content: one.content,
            toolName: name,
            toolCallId: id,
            turnId,
          });
          places.push(place);
          await answerToolCall(db, { sessionId, messageId, callIndex }, { messageId: place.id, success });
        }
        await finishTurn(db, turnId, {
          state: one.state,
          finishedAt: time,
          error: one.error,
          messageId,
          usage: one.usage as never,
          context: null,
          lastEventId: 7,
        });
        const { settings: asked, onDisconnect } = one;
        await db
          .updateTable('turns')
          .set({ settings: asked && JSON.stringify(asked), on_disconnect: onDisconnect })
          .where('id', '=', turnId)
          .execute();
      }
    }
  }
  // Appending moves it; any value must survive.
  await updateSession(db, sessionId, { updated_at: settings.updatedAt });
  return sessionId;
}

async function storeJournal(
  db: Db,
  { sessionId, messageId, callIndex }: { sessionId: string; messageId: string; callIndex: number },
  {
    planned,
    executions,
  }: Pick<typeof call extends fc.Arbitrary<infer T> ? T : never, 'planned' | 'executions'>,
): Promise<void> {
  if (planned !== null) {
    await db
      .updateTable('tool_calls')
      .set({ ...planned, repairs: JSON.stringify(planned.repairs) })
      .where('session_id', '=', sessionId)
      .where('message_id', '=', messageId)
      .where('call_index', '=', callIndex)
      .execute();
  }
  for (const [index, one] of executions.entries()) {
    await db
      .insertInto('tool_executions')
      .values({
        ...one,
        id: nextId('exec_'),
        session_id: sessionId,
        message_id: messageId,
        call_index: callIndex,
        attempt: index + 1,
        source: JSON.stringify(one.source),
        arguments: JSON.stringify(one.arguments),
        repairs: JSON.stringify(one.repairs),
        boot_id: 'boot_1',
      })
      .execute();
  }
}

type Appended = Omit<Parameters<typeof appendToPath>[2], 'sessionId' | 'id' | 'timestamp' | 'status'> & {
  readonly status?: 'complete' | 'partial';
};

async function append(
  db: Db,
  sessionId: string,
  parent: PathPlace | null,
  message: Appended,
): Promise<PathPlace> {
  // Only what lies on the path can be appended to.
  await moveHead(db, sessionId, parent, '2026-02-15T09:49:38.310281Z');
  return appendToPath(db, parent, {
    sessionId,
    id: nextId(),
    timestamp: '2026-02-15T09:49:38.310281Z',
    status: 'complete',
    ...message,
  });
}
