// Messages of a session: the path that it shows, and the tree.
import { type Api, type CallOptions, listOf, segment } from '../api.ts';
import type { EditedMessage, GetTreeAnswer, ListMessagesAnswer } from '../wire.ts';

export interface ListMessages {
  readonly limit?: number;
  readonly cursor?: string;
}

export function messages({ json, get }: Api) {
  const at = (id: string, rest: string) => `/sessions/${segment(id)}${rest}`;
  return {
    /** Of the path, from its root; all of them when no limit is given. */
    list: (id: string, query: ListMessages = {}, options?: CallOptions) =>
      listOf(
        (cursor) =>
          get<ListMessagesAnswer>(at(id, '/messages'), { ...query, cursor: cursor ?? query.cursor }, options),
        (page) => page.messages,
      ),
    /** Every message, those of other branches too, in the order of their creation. */
    tree: (id: string, query: ListMessages = {}, options?: CallOptions) =>
      listOf(
        (cursor) =>
          get<GetTreeAnswer>(at(id, '/tree'), { ...query, cursor: cursor ?? query.cursor }, options),
        (page) => page.messages,
      ),
    /** A sibling of a user message, at its position on the path; nothing answers it yet. */
    edit: (id: string, index: number, content: string, options?: CallOptions) =>
      json<EditedMessage>({
        method: 'PUT',
        path: at(id, `/messages/${index}`),
        body: { content },
        ...options,
      }),
  };
}
