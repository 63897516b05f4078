// The exchanges of a path, the newest first. Reads only what is used, so that a long session costs no more
// than what is sent of it.
import type { Db } from '../../store/database.ts';
import { listPathBackwards, type PromptMessage } from '../../store/messages.ts';
import { addSizes, NO_SIZE, type PromptSize, sizeOf } from '../../window/estimate.ts';

/** Messages asked of the store at first; twice as many each time after. */
const FIRST_PAGE = 64;
const LARGEST_PAGE = 1024;

/** A user message and what followed it, in order; a tool call never parts from its result. */
export interface Exchange {
  readonly messages: readonly PromptMessage[];
  readonly size: PromptSize;
}

/** Exchanges of the active path down to a depth, the newest first. What precedes the first user message is the last. */
export async function* readExchanges(
  db: Db,
  sessionId: string,
  toDepth: number,
): AsyncGenerator<Exchange, void> {
  let open: PromptMessage[] = [];
  let next = toDepth;
  for (let limit = FIRST_PAGE; ; limit = Math.min(limit * 2, LARGEST_PAGE)) {
    const page = await listPathBackwards(db, sessionId, { to: next, limit });
    for (const message of page) {
      open.push(message);
      if (message.role === 'user') {
        yield toExchange(open);
        open = [];
      }
    }
    const last = page.at(-1);
    if (last === undefined || page.length < limit) break;
    next = last.depth - 1;
  }
  if (open.length > 0) yield toExchange(open);
}

function toExchange(newestFirst: readonly PromptMessage[]): Exchange {
  return { messages: newestFirst.toReversed(), size: totalSize(newestFirst) };
}

export function totalSize(messages: readonly PromptMessage[]): PromptSize {
  return messages.reduce((sum, message) => addSizes(sum, sizeOf(message)), NO_SIZE);
}
