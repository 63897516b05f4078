// Fills a data folder before the server starts, through the store's own functions.
import { formatMicroseconds } from '../src/kit/clock.ts';
import type { Db } from '../src/store/database.ts';
import { insertMessages, type NewMessage } from '../src/store/insert-messages.ts';
import { openStore } from '../src/store/open-store.ts';
import { insertSession, updateSession } from '../src/store/sessions.ts';
import { finishTurn, insertTurn } from '../src/store/turns.ts';

export interface SeedPlan {
  readonly model: string;
  readonly sessions: number;
  /** In each session: user and assistant in turn, an even number. */
  readonly messages: number;
  /** Whether each pair of messages was a turn, as in life; the rows of a hundred thousand sessions take too long. */
  readonly hasTurns: boolean;
  /** What a message says; default: the same each time. */
  readonly write?: () => string;
}

/** Characters of a message. */
const MESSAGE_LENGTH = 300;
/** Sessions a minute apart, from here on. */
const FIRST_SESSION_AT = Date.UTC(2026, 0, 1) * 1000;
const MINUTE = 60_000_000;
/** Rows written in one transaction, so that the log stays small. */
const BATCH = 2000;
/** Counted, not random: the indexes are written in order, which makes large databases quick to fill. */
let lastId = 0;

/** @returns the ids of the sessions, plan by plan */
export async function seed(dataDir: string, plans: readonly SeedPlan[]): Promise<string[][]> {
  const store = await openStore({ dataDir, exclusive: true });
  try {
    const seeded: string[][] = [];
    for (const plan of plans) seeded.push(await seedPlan(store.db, plan));
    return seeded;
  } finally {
    await store.close();
  }
}

export async function seedPlan(db: Db, plan: SeedPlan): Promise<string[]> {
  const ids: string[] = [];
  const sessionsPerBatch = Math.max(1, Math.floor(BATCH / (plan.messages + 1)));
  while (ids.length < plan.sessions) {
    const count = Math.min(sessionsPerBatch, plan.sessions - ids.length);
    await db.transaction().execute(async (transaction) => {
      const messages: NewMessage[] = [];
      for (let added = 0; added < count; added += 1) {
        const seeded = await seedSession(transaction, plan, ids.length);
        ids.push(seeded.id);
        messages.push(...seeded.messages);
      }
      await insertMessages(transaction, messages);
      if (plan.hasTurns) await seedTurns(transaction, messages);
    });
  }
  return ids;
}

/** The session's row; its messages are left to the caller, who writes many at a time. */
async function seedSession(
  db: Db,
  plan: SeedPlan,
  index: number,
): Promise<{ readonly id: string; readonly messages: readonly NewMessage[] }> {
  const id = nextId();
  const createdAt = formatMicroseconds(FIRST_SESSION_AT + index * MINUTE);
  await insertSession(db, {
    id,
    model: plan.model,
    createdAt,
    updatedAt: createdAt,
    title: null,
    metadata: {},
    toolSettings: { tools: [], execution_policy: 'always_confirm', tool_policies: {} },
    agentSettings: { enabled_agents: [] },
    contextWindow: {
      dynamic_enabled: true,
      current_window: 8192,
      last_adjustment: 'initial_setup',
      adjustment_history: [],
      manual_override: false,
    },
    summaryModel: null,
  });
  const messages = path(id, plan, createdAt);
  const head = messages.at(-1);
  if (head === undefined) return { id, messages };
  await updateSession(db, id, {
    head_id: head.id,
    head_depth: head.depth,
    preview: messages[0]?.content.slice(0, 100) ?? null,
  });
  return { id, messages };
}

/** A finished turn for each answer. */
async function seedTurns(db: Db, messages: readonly NewMessage[]): Promise<void> {
  for (const { role, id, parentId, sessionId, timestamp } of messages) {
    if (role !== 'assistant') continue;
    const turnId = `turn_${nextId()}`;
    await insertTurn(db, {
      id: turnId,
      sessionId,
      state: 'running',
      createdAt: timestamp,
      request: null,
      userMessageId: parentId,
      idempotency: null,
      isStructured: false,
    });
    await finishTurn(db, turnId, {
      state: 'completed',
      finishedAt: timestamp,
      error: null,
      messageId: id,
      usage: null,
      context: null,
      lastEventId: 9,
    });
  }
}

function path(sessionId: string, plan: SeedPlan, timestamp: string): NewMessage[] {
  const messages: NewMessage[] = [];
  let parentId: string | null = null;
  for (let depth = 0; depth < plan.messages; depth += 1) {
    const id = nextId();
    const isAnswer = depth % 2 === 1;
    messages.push({
      sessionId,
      id,
      parentId,
      depth,
      active: true,
      role: isAnswer ? 'assistant' : 'user',
      content: plan.write?.() ?? plainText(depth),
      timestamp,
      status: 'complete',
      ...(isAnswer && { model: plan.model, evalCount: 70, promptEvalCount: 700 }),
    });
    parentId = id;
  }
  return messages;
}

function plainText(depth: number): string {
  return `Message ${depth} of a conversation that goes on and on. `.padEnd(MESSAGE_LENGTH, 'lorem ipsum ');
}

function nextId(): string {
  lastId += 1;
  return lastId.toString(16).padStart(10, '0');
}
