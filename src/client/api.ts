// What the resources are made of: a call that answers JSON, and lists that come in pages.
import type { Connection } from './options.ts';
import type { Exchange, Send } from './send.ts';

export interface CallOptions {
  /** Gives up waiting; what the server was asked for it may do nevertheless. */
  readonly signal?: AbortSignal;
}

export interface Api {
  readonly connection: Connection;
  readonly send: Send;
  /** Answers JSON; nothing where the server has nothing to say (204). */
  json<T>(exchange: Exchange): Promise<T>;
  get<T>(path: string, query?: Exchange['query'], options?: CallOptions): Promise<T>;
}

export function createApi(connection: Connection, send: Send): Api {
  const json = <T>(exchange: Exchange) =>
    send(exchange, async (response) => (response.status === 204 ? undefined : await response.json()) as T);
  return {
    connection,
    send,
    json,
    get: (path, query = {}, { signal } = {}) =>
      json({ method: 'GET', path, query, repeated: 'safe', signal }),
  };
}

/** One segment of a path. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}

interface Paged {
  readonly next_cursor: string | null;
}

/** `await` it for a page, iterate it for all items, or page by page with `pages()`. */
export interface List<Page, Item> extends PromiseLike<Page>, AsyncIterable<Item> {
  pages(): AsyncIterable<Page>;
}

/** Nothing is asked for before somebody waits. */
export function listOf<Page extends Paged, Item>(
  read: (cursor: string | undefined) => Promise<Page>,
  itemsOf: (page: Page) => readonly Item[],
): List<Page, Item> {
  async function* pages() {
    for (let cursor: string | undefined; ; ) {
      const page: Page = await read(cursor);
      yield page;
      if (page.next_cursor === null) return;
      cursor = page.next_cursor;
    }
  }
  async function* items() {
    for await (const page of pages()) yield* itemsOf(page);
  }
  let first: Promise<Page> | null = null;
  return {
    // oxlint-disable-next-line unicorn/no-thenable -- A list is waited for.
    then: (...handlers) => (first ??= read(undefined)).then(...handlers),
    pages,
    [Symbol.asyncIterator]: items,
  };
}
