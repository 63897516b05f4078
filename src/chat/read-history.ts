// The newest whole exchanges of a path that fit a budget. Reads only what it uses, so that a long session
// costs no more than a short one.
import type { Db } from '../store/database.ts';
import { listPathBackwards, type PromptMessage } from '../store/messages.ts';
import { estimateMessage } from '../window/estimate.ts';

/** Messages asked of the store at a time. */
const PAGE = 64;

/** A user message and what followed it, in order; a tool call never parts from its result. */
export interface Exchange {
  readonly messages: readonly PromptMessage[];
  readonly tokens: number;
}

/** Exchanges of the active path down to a depth, the newest first. What precedes the first user message is the last. */
export async function* readExchanges(
  db: Db,
  sessionId: string,
  toDepth: number,
): AsyncGenerator<Exchange, void> {
  let open: PromptMessage[] = [];
  let next = toDepth;
  for (;;) {
    const page = await listPathBackwards(db, sessionId, { to: next, limit: PAGE });
    for (const message of page) {
      open.push(message);
      if (message.role === 'user') {
        yield toExchange(open);
        open = [];
      }
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) break;
    next = last.depth - 1;
  }
  if (open.length > 0) yield toExchange(open);
}

function toExchange(newestFirst: readonly PromptMessage[]): Exchange {
  return {
    messages: newestFirst.toReversed(),
    tokens: newestFirst.reduce((sum, message) => sum + estimateMessage(message), 0),
  };
}
