// Messages of a session: the path that it shows, and the tree.
import { type Api, type CallOptions, listOf, segment } from '../api.ts';
import type { EditedMessage, GetTreeAnswer, ListMessagesAnswer, ListSiblingsAnswer } from '../wire.ts';

export interface ListTree {
  readonly limit?: number;
  readonly cursor?: string;
}

export interface ListMessages extends ListTree {
  /** The position on the path of the first one; negative: from the end. */
  readonly from?: number;
  /** Id of a message of the path, in the middle of the page; in the place of `from`. */
  readonly around?: string;
  /** `omit`: how many pictures there are, in their place. */
  readonly images?: 'include' | 'omit';
}

export function messages({ json, get, send }: Api) {
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
    tree: (id: string, query: ListTree = {}, options?: CallOptions) =>
      listOf(
        (cursor) =>
          get<GetTreeAnswer>(at(id, '/tree'), { ...query, cursor: cursor ?? query.cursor }, options),
        (page) => page.messages,
      ),
    /** Those with the same parent, itself included, in the order of their creation. */
    siblings: (id: string, messageId: string, options?: CallOptions) =>
      get<ListSiblingsAnswer>(at(id, `/messages/${segment(messageId)}/siblings`), {}, options),
    /** One picture of a message, by its position in it. */
    image: (id: string, messageId: string, index: number, options?: CallOptions): Promise<Response> =>
      send(
        {
          method: 'GET',
          path: at(id, `/messages/${segment(messageId)}/images/${index}`),
          accept: 'any',
          repeated: 'safe',
          ...options,
        },
        (response) => response,
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
