// Answers that hold a whole list. A short one is an object; a long one is read and written a slice at a time, as it
// was at one moment, so that everybody else has a turn in between.
import { setImmediate } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AppDeps } from './app-deps.ts';
import { streamText } from './stream-text.ts';

type Db = AppDeps['db'];

/** Rows read at once. */
const SLICE = 100;
/** Text that is written at once, about. */
const PIECE_LENGTH = 32 * 1024;

export interface LongList<Item> {
  /** What the answer holds before the list. @throws MochiError when there is nothing to list */
  head(db: Db): Promise<object>;
  /** The name of the list in the answer. */
  readonly key: string;
  /** What follows an item, in order; null: from the start. */
  slice(db: Db, after: Item | null, limit: number): Promise<readonly Item[]>;
  show(item: Item): unknown;
  /** What the answer holds after the list. */
  readonly tail: object;
}

/** @returns what the route is to answer. @throws what the list's functions throw */
export async function answerList<Item>(
  deps: Pick<AppDeps, 'db' | 'openSnapshot'>,
  list: LongList<Item>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  // One connection: nothing is written between the reads.
  const short = await deps.db.connection().execute(async (db) => {
    const head = await list.head(db);
    const items = await list.slice(db, null, SLICE);
    return items.length < SLICE ? { ...head, [list.key]: items.map(list.show), ...list.tail } : null;
  });
  if (short !== null) return short;
  const snapshot = await deps.openSnapshot();
  try {
    const head = await list.head(snapshot.db);
    const text = textOf(snapshot.db, list, head);
    void reply.type('application/json; charset=utf-8');
    return streamText({ text, close: () => snapshot.close() }, reply, request);
  } catch (error) {
    await snapshot.close();
    throw error;
  }
}

async function* textOf<Item>(db: Db, list: LongList<Item>, head: object): AsyncGenerator<string, void> {
  const before = JSON.stringify({ ...head, [list.key]: 0 });
  let gathered = `${before.slice(0, -2)}[`;
  let after: Item | null = null;
  for (;;) {
    const items: readonly Item[] = await list.slice(db, after, SLICE);
    for (const item of items) {
      gathered += `${after === null ? '' : ','}${JSON.stringify(list.show(item))}`;
      after = item;
      if (gathered.length < PIECE_LENGTH) continue;
      yield gathered;
      gathered = '';
      await setImmediate();
    }
    if (items.length < SLICE) break;
    await setImmediate();
  }
  const tail = JSON.stringify(list.tail).slice(1);
  yield `${gathered}]${tail === '}' ? '}' : `,${tail}`}`;
}
