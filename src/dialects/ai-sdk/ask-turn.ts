// What a chat of the SDK asks a turn: where its last message goes, what is edited, what is answered anew.
import { USUAL_WISHES } from '../../chat/answer-wishes.ts';
import type { PlacedHistory, PlacedMessage, TurnRequest } from '../../chat/turn-request.ts';
import { invalidField } from '../../contract/errors.ts';
import { listHandedCalls } from '../../store/client-calls.ts';
import { findEndOfAnswer, findNamedMessage } from '../../store/client-ids.ts';
import type { StoredSession } from '../../store/sessions.ts';
import type { DialectDeps } from '../dialect.ts';
import { closeHistory, toHistory } from '../history.ts';
import type { UiChatBody } from './chat-body.ts';
import type { GivenMessage, UiRequest } from './read-request.ts';

type Said = Pick<TurnRequest, 'mode' | 'replaces' | 'toolResults'> & { readonly placed?: PlacedHistory };
type Place = PlacedHistory['after'];

const NOTHING_SAID: Said = { mode: 'regenerate', replaces: null, toolResults: [] };

export interface UiAsked {
  readonly request: TurnRequest;
  /** The UI message that goes on; null: a new one begins. */
  readonly messageId: string | null;
}

/** @throws MochiError validation_error */
export async function askTurn(
  { db }: Pick<DialectDeps, 'db'>,
  { session, isNew }: { readonly session: StoredSession; readonly isNew: boolean },
  { asked, body }: { readonly asked: UiRequest; readonly body: UiChatBody },
): Promise<UiAsked> {
  const { truncation: _truncation, ...wishes } = asked.settings;
  const { system } = asked;
  const last = asked.messages.at(-1);
  const goesOn = !asked.isRegenerate && last?.role === 'assistant';
  const said = goesOn
    ? await answerCalls(db, session, last)
    : asked.isRegenerate
      ? await regenerate(db, session, asked)
      : await place(db, session, asked);
  return {
    messageId: goesOn ? last.id : null,
    request: {
      ...USUAL_WISHES,
      ...wishes,
      ...said,
      message: null,
      images: said.placed?.messages.at(-1)?.images ?? [],
      toolSettings: null,
      agentSettings: null,
      onBusy: body.on_busy ?? 'interrupt',
      onApproval: 'wait',
      // A new session has it for good.
      ...(system !== null && !isNew && { system }),
    },
  };
}

type Db = DialectDeps['db'];

/** What came of the calls that were left to the client. @throws MochiError validation_error */
async function answerCalls(db: Db, { session_id: id }: StoredSession, last: GivenMessage): Promise<Said> {
  const open = new Set((await listHandedCalls(db, id)).map(({ callId }) => callId));
  const results = last.results.filter(({ callId }) => open.has(callId));
  if (results.length === 0) {
    throw invalidField('/messages', 'must end with a message of the user, or with outputs of open calls');
  }
  return {
    ...NOTHING_SAID,
    toolResults: results.map(({ callId, content, isError }) => ({
      tool_call_id: callId,
      content,
      is_error: isError,
    })),
  };
}

/** The named answer is made anew, or the last one. */
async function regenerate(
  db: Db,
  { session_id: id }: StoredSession,
  { messageId, messages }: UiRequest,
): Promise<Said> {
  const answer = messageId === null ? null : await findNamedMessage(db, id, messageId);
  if (answer?.role === 'assistant') {
    return { ...NOTHING_SAID, replaces: { messageId: answer.id, keepsImages: false } };
  }
  // The client may show another branch than the active one.
  const question = messages.findLast(({ role }) => role === 'user')?.id ?? null;
  const known = question === null ? null : await findNamedMessage(db, id, question);
  return known?.role === 'user' ? answerOf({ messageId: known.id }) : NOTHING_SAID;
}

function answerOf(after: Place): Said {
  return { ...NOTHING_SAID, placed: placedAt(after, []) };
}

function placedAt(after: Place, messages: readonly PlacedMessage[]): PlacedHistory {
  return { after, messages, chain: null, system: null, refusesStray: false };
}

/** A message of the user: new, or another text for one that is there. */
async function place(db: Db, session: StoredSession, { messages }: UiRequest): Promise<Said> {
  const { session_id: id, headId } = session;
  const last = messages.at(-1);
  const edited = last?.id == null ? null : await findNamedMessage(db, id, last.id);
  if (edited?.role === 'user') {
    const after: Place = edited.parentId === null ? 'nothing' : { messageId: edited.parentId };
    return { ...NOTHING_SAID, placed: placedAt(after, toPlaced(messages.slice(-1))) };
  }
  for (let at = messages.length - 2; at >= 0; at -= 1) {
    const before = messages[at]?.id ?? null;
    const known = before === null ? null : await findNamedMessage(db, id, before);
    if (known === null) continue;
    const end = known.role === 'user' ? known : await findEndOfAnswer(db, id, known);
    const after: Place = end.id === headId ? 'head' : { messageId: end.id };
    return { ...NOTHING_SAID, placed: placedAt(after, toPlaced(messages.slice(at + 1))) };
  }
  // A chat that begins keeps what it brings; where nothing of it is known, only the new message is meant.
  const said = headId === null ? messages : messages.slice(-1);
  return { ...NOTHING_SAID, placed: placedAt('head', toPlaced(said)) };
}

/** System messages of a client are its own business here: `system` is the field for them. */
function toPlaced(messages: readonly GivenMessage[]): readonly PlacedMessage[] {
  const told = messages.filter(({ role }) => role !== 'system');
  return told.flatMap(({ id, role, said }) => {
    const closed = closeHistory(toHistory(said).messages);
    return role === 'user' && id !== null ? closed.map((message) => ({ ...message, clientId: id })) : closed;
  });
}
