// The active path of a session as items of a conversation, read as far as a page needs it.
import { invalidField, MochiError } from '../../contract/errors.ts';
import { requireSession } from '../../sessions/require.ts';
import type { Db } from '../../store/database.ts';
import { findMessage, listPath } from '../../store/messages.ts';
import type { PathPlace } from '../../store/path-place.ts';
import { listSettledCalls } from '../../store/settled-calls.ts';
import type { JsonObject } from '../read-content.ts';
import { readCustomTools } from './custom-tools.ts';
import { parseItemId, toConversationId } from './ids.ts';
import type { OutputItem } from './items.ts';
import { type ListBody, type ListPage, toListBody } from './list-page.ts';
import { toItems } from './stored-items.ts';

export type ConversationItem = OutputItem | JsonObject;

/** Thoughts as they are: who reads a conversation has not asked for a form. */
const FORM = { custom: readCustomTools([]), reasoning: { isSummary: false, isEncrypted: false } };

/** Messages that are read at a time. */
const CHUNK = 100;

/** @throws MochiError session_not_found, validation_error where `after` is no item of the path */
export async function listItems(
  db: Db,
  sessionId: string,
  page: ListPage,
): Promise<ListBody<ConversationItem>> {
  const { headDepth } = await requireSession(db, sessionId);
  const isUp = page.order === 'asc';
  let depth = page.after === null ? (isUp ? 0 : headDepth) : await depthOf(db, sessionId, page.after);
  let items: readonly ConversationItem[] = [];
  while (depth >= 0 && depth <= headDepth) {
    const [from, to] = isUp ? [depth, depth + CHUNK - 1] : [Math.max(depth - CHUNK + 1, 0), depth];
    const chunk = await itemsBetween(db, sessionId, { from, to });
    items = isUp ? [...items, ...chunk] : [...chunk, ...items];
    // The first chunk has the item that was seen last.
    if (toListBody(items, page).has_more) break;
    depth = isUp ? to + 1 : from - 1;
  }
  return toListBody(items, page);
}

async function itemsBetween(
  db: Db,
  sessionId: string,
  range: { readonly from: number; readonly to: number },
): Promise<ConversationItem[]> {
  const path = await listPath(db, sessionId, range);
  const ids = path.map(({ message_id: id }) => id);
  return toItems(path, await listSettledCalls(db, sessionId, ids), { sessionId, ...FORM });
}

/** @throws MochiError validation_error */
async function depthOf(db: Db, sessionId: string, itemId: string): Promise<number> {
  const place = parseItemId(itemId);
  const message = place?.sessionId === sessionId ? await findMessage(db, sessionId, place.messageId) : null;
  if (message?.active === true) return message.depth;
  throw invalidField('/after', 'must be the id of an item of this conversation');
}

/** Those that have come behind a depth. */
export async function listItemsBehind(db: Db, sessionId: string, depth: number): Promise<ConversationItem[]> {
  const { headDepth } = await requireSession(db, sessionId);
  return itemsBetween(db, sessionId, { from: depth + 1, to: headDepth });
}

export interface FoundItem {
  readonly item: ConversationItem;
  readonly depth: number;
  /** Of the message before its own; null: it is the first. */
  readonly parent: PathPlace | null;
}

/** @throws MochiError session_not_found, message_not_found */
export async function requireItem(db: Db, sessionId: string, itemId: string): Promise<FoundItem> {
  await requireSession(db, sessionId);
  const place = parseItemId(itemId);
  const message = place?.sessionId === sessionId ? await findMessage(db, sessionId, place.messageId) : null;
  if (message?.active === true) {
    const { depth } = message;
    const items = await itemsBetween(db, sessionId, { from: depth, to: depth });
    const item = items.find(({ id }) => id === itemId);
    const { parent_id: id } = message;
    if (item !== undefined)
      return { item, depth, parent: depth === 0 || id === null ? null : { id, depth: depth - 1 } };
  }
  const conversation = toConversationId(sessionId);
  throw new MochiError(
    'message_not_found',
    `Item with id '${itemId}' not found in conversation ${conversation}.`,
  );
}
