// A request with its place → what a turn of a session is asked.
import { USUAL_WISHES } from '../chat/answer-wishes.ts';
import type { PlacedHistory, TurnRequest } from '../chat/turn-request.ts';
import { chainOf, type HistoryChain } from '../sessions/match-history.ts';
import type { Asked } from './dialect.ts';
import { closeHistory, type History } from './history.ts';
import type { PlacingRequest } from './placing-request.ts';

interface Place {
  readonly after: PlacedHistory['after'];
  readonly isNew: boolean;
  /** Where it was read to find the place; missing: it was not. */
  readonly whole?: WholeHistory;
}

/** A conversation that stands alone, and by what it is recognised. */
export type WholeHistory = Pick<PlacedHistory, 'messages'> & { readonly chain: HistoryChain };

export function readWhole({ keyDigest }: Pick<Asked, 'keyDigest'>, history: History): WholeHistory {
  const messages = closeHistory(history.messages);
  return { messages, chain: chainOf(keyDigest, messages) };
}

export function toPlaced(
  asked: Pick<Asked, 'keyDigest' | 'onBusy'>,
  request: Pick<PlacingRequest, 'history' | 'settings' | 'place'>,
  place: Place,
): TurnRequest {
  const { history, settings } = request;
  const { truncation: _truncation, ...wishes } = settings;
  const newest = history.messages.findLast(({ role }) => role === 'user');
  return {
    ...USUAL_WISHES,
    ...wishes,
    ...whatIsSaid(asked, request, place),
    mode: 'regenerate',
    replaces: null,
    images: newest?.images ?? [],
    toolSettings: null,
    toolResults: [],
    agentSettings: null,
    onBusy: asked.onBusy,
    onApproval: 'wait',
  };
}

function whatIsSaid(
  asked: Pick<Asked, 'keyDigest'>,
  { history, place: said }: Pick<PlacingRequest, 'history' | 'place'>,
  { after, isNew, whole }: Place,
): Pick<TurnRequest, 'message' | 'placed' | 'system'> {
  const { system } = history;
  const isAll = after === 'nothing';
  // Who says the whole conversation, or begins one, is its author.
  const kept = said === undefined && (isAll || isNew) ? system : null;
  const forTurn = kept === null && system !== null ? { system } : {};
  const only = after === 'head' ? onlyMessage(history) : null;
  // One message goes as any other: it is on disk while it waits in line.
  if (only !== null) return { message: only, ...forTurn };
  const placed: PlacedHistory = {
    after,
    ...(isAll ? (whole ?? readWhole(asked, history)) : { messages: history.messages, chain: null }),
    system: kept,
    refusesStray: said !== undefined,
  };
  return { message: null, placed, ...forTurn };
}

function onlyMessage({ messages }: History): string | null {
  const [first, ...more] = messages;
  return first?.role === 'user' && more.length === 0 && first.own === undefined ? first.content : null;
}
