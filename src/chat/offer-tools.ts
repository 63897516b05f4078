// Which tools a turn offers: those that the session names, or the request for this turn.
import { unlessAborted } from '../kit/unless-aborted.ts';
import type { StoredSession } from '../store/sessions.ts';
import { registerClientTools } from '../tools/client-tools.ts';
import type { Offer } from '../tools/offer.ts';
import type { TurnDeps } from './turn-deps.ts';
import { type TurnRequest, toolSettingsOf } from './turn-request.ts';

/** When a turn begins: what is still being looked for is waited for, at most ten seconds. @throws what aborts it */
export async function offerTools(
  deps: Pick<TurnDeps, 'tools'>,
  turn: { readonly session: StoredSession; readonly request: TurnRequest; readonly signal: AbortSignal },
): Promise<Offer> {
  const { session, request, signal } = turn;
  if (toolSettingsOf(session, request).tools.length > 0) await unlessAborted(deps.tools.ready(), signal);
  return unlessAborted(offerNow(deps, session, request), signal);
}

/** From what has been found so far. Of two tools of one name the client's is offered. @throws ClientToolFault */
export async function offerNow(
  { tools }: Pick<TurnDeps, 'tools'>,
  session: StoredSession,
  request: TurnRequest,
): Promise<Offer> {
  const own = tools.offer(toolSettingsOf(session, request).tools);
  const brought = await registerClientTools(request.clientTools);
  if (brought.length === 0) return own;
  const names = new Set(brought.map(({ name }) => name));
  return { ...own, tools: [...own.tools.filter(({ name }) => !names.has(name)), ...brought] };
}
