// Lists as OpenAI's clients page them: after an id, in one order or the other.
import { invalidField } from '../../contract/errors.ts';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

export interface ListPage {
  readonly limit: number;
  readonly order: 'asc' | 'desc';
  /** Items up to this one were seen; null: none. */
  readonly after: string | null;
}

/** @throws MochiError validation_error */
export function readListPage(query: Readonly<Record<string, string>>): ListPage {
  const { limit = String(DEFAULT_LIMIT), order = 'desc', after = null } = query;
  const count = Number(limit);
  if (!Number.isSafeInteger(count) || count < 1 || count > MAX_LIMIT) {
    throw invalidField('/limit', `must be 1 to ${MAX_LIMIT}`);
  }
  if (order !== 'asc' && order !== 'desc') throw invalidField('/order', 'must be asc or desc');
  return { limit: count, order, after: after === '' ? null : after };
}

export interface ListBody<T> {
  readonly object: 'list';
  readonly data: readonly T[];
  readonly first_id: string | null;
  readonly last_id: string | null;
  readonly has_more: boolean;
}

/** @param items all of them, oldest first. @throws MochiError validation_error where `after` is none of them */
export function toListBody<T extends { readonly id?: unknown }>(
  items: readonly T[],
  { limit, order, after }: ListPage,
): ListBody<T> {
  const ordered = order === 'asc' ? items : items.toReversed();
  const seen = after === null ? -1 : ordered.findIndex(({ id }) => id === after);
  if (after !== null && seen === -1) throw invalidField('/after', `must be the id of an item of this list`);
  const rest = ordered.slice(seen + 1);
  const data = rest.slice(0, limit);
  return {
    object: 'list',
    data,
    first_id: idOf(data[0]),
    last_id: idOf(data.at(-1)),
    has_more: rest.length > data.length,
  };
}

function idOf(item: { readonly id?: unknown } | undefined): string | null {
  return typeof item?.id === 'string' ? item.id : null;
}
