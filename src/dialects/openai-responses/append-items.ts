// Items that are put at the end of a conversation without an answer.

import type { EngineMessage } from '../../contract/engine.ts';
import { invalidField } from '../../contract/errors.ts';
import { closeHistory, toHistory } from '../history.ts';
import type { JsonObject } from '../read-content.ts';
import { readInput } from './read-input.ts';

/** Of one request. */
const MAX_ITEMS = 20;

/** @throws MochiError validation_error, image_url_not_supported */
export function readItems(items: readonly JsonObject[], path = '/items'): readonly EngineMessage[] {
  if (items.length > MAX_ITEMS) throw invalidField(path, `must not have more than ${MAX_ITEMS} items`);
  const { messages, afterItem } = readInput(items, path);
  if (afterItem !== null) throw invalidField(path, 'must not refer to items: they are there already');
  const { system, messages: said } = toHistory(messages);
  // A conversation has its own system message, which nothing of this changes: what comes first is told by the user.
  const told: readonly EngineMessage[] = system === null ? [] : [{ role: 'user', content: system }];
  return closeHistory([...told, ...said]);
}
