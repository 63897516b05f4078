// The routes of a chat of the SDK: send, resume, stop, read.
import { MochiError } from '../../contract/errors.ts';
import type { Message } from '../../contract/message.ts';
import { listClientIds } from '../../store/client-ids.ts';
import { findUserMessage, listPath, SYSTEM_DEPTH } from '../../store/messages.ts';
import { listSettledCalls } from '../../store/settled-calls.ts';
import { describeTurns } from '../../store/turn-tellings.ts';
import { listUndecided } from '../../store/undecided.ts';
import type { Asked, DialectAnswer, DialectDeps, JsonAnswer, TextAnswer, TurnAnswer } from '../dialect.ts';
import { inNewSession, unlessTakenBack } from '../made-for-request.ts';
import { askTurn } from './ask-turn.ts';
import type { UiChatBody } from './chat-body.ts';
import { type GivenMessage, readRequest } from './read-request.ts';
import { toChunks, toUiMessages } from './ui-messages.ts';
import { findUiSession, openUiSession, requireUiSession } from './ui-session.ts';
import { createUiWriter, type UiStream } from './write-events.ts';

const HEADERS = { 'x-vercel-ai-ui-message-stream': 'v1' };

export async function sendChat(deps: DialectDeps, asked: Asked<UiChatBody>): Promise<DialectAnswer> {
  const { body, joined, idempotencyKey } = asked;
  if (joined !== null) return streamOf(deps, joined, {}, body);
  const request = readRequest(body);
  const last = request.messages.at(-1);
  if (!request.isRegenerate && last !== undefined && last.decisions.length > 0) {
    return decide(deps, asked, last);
  }
  return unlessTakenBack(async () => {
    const opened = await openUiSession(deps, body);
    const { session_id: sessionId } = opened.session;
    const { turn, messageId } = await inNewSession(deps, { sessionId, isNew: opened.isNew }, async () => {
      const { request: wanted, ...told } = await askTurn(deps, opened, { asked: request, body });
      return {
        ...told,
        turn: await deps.turns.start(sessionId, wanted, { route: 'stream', idempotencyKey }),
      };
    });
    return streamOf(deps, turn, { messageId }, body);
  });
}

/** What a person has decided: the turn that has asked goes on. */
async function decide(
  deps: DialectDeps,
  { body, requestId }: Asked<UiChatBody>,
  { id: messageId, decisions }: GivenMessage,
): Promise<DialectAnswer> {
  const { session_id: sessionId } = await requireUiSession(deps, body.id);
  const turn = await deps.turns.open(await deps.turns.holderOf(sessionId));
  const after = turn.lastEventId;
  const undecided = (await listUndecided(deps.db, [turn.turnId])).get(turn.turnId) ?? [];
  const open = new Set(undecided.map(({ confirmation_id: id }) => id));
  const news = decisions.filter(({ approvalId }) => open.has(approvalId));
  if (news.length > 0) {
    await deps.approvals.decide(
      news.map(({ approvalId, isApproved, reason }) =>
        isApproved
          ? { confirmation_id: approvalId, decision: 'approve' }
          : { confirmation_id: approvalId, decision: 'deny', ...(reason !== null && { reason }) },
      ),
      { requestId },
    );
  }
  const refused = new Set(news.filter(({ isApproved }) => !isApproved).map(({ approvalId }) => approvalId));
  const denied = undecided.flatMap(({ confirmation_id: id, tool_call_id: call }) =>
    refused.has(id) && call !== null ? [call] : [],
  );
  return streamOf(deps, turn, { messageId, denied, after }, body);
}

type Turn = TurnAnswer['turn'];

async function streamOf(
  deps: DialectDeps,
  turn: Turn,
  { after = 0, ...told }: Partial<UiStream> & { readonly after?: number },
  { on_disconnect: onDisconnect = 'continue' }: Pick<UiChatBody, 'on_disconnect'>,
): Promise<TurnAnswer> {
  const { created_at: createdAt } = await deps.turns.describe(turn.turnId);
  const writer = createUiWriter({
    turnId: turn.turnId,
    createdAt,
    messageId: null,
    before: [],
    toldCalls: [],
    denied: [],
    ...told,
  });
  return {
    as: 'turn',
    turn,
    isStored: true,
    told: { how: 'sse', writer, after, isImmediate: true },
    onDisconnect,
    headers: HEADERS,
  };
}

const NOTHING_RUNS: TextAnswer = { as: 'text', status: 204, body: '' };

/** What is being answered, with every part since the last message of the user: the client begins its message afresh. */
export async function resumeChat(deps: DialectDeps, { params, signal }: Asked): Promise<DialectAnswer> {
  const session = await findUiSession(deps, params['id'] ?? '');
  // With `resume: true` a chat asks as soon as it is opened, before its first message too.
  if (session === null) return NOTHING_RUNS;
  const { session_id: sessionId } = session;
  const turnId = await holderOf(deps, sessionId);
  if (turnId === null || (await deps.turns.describe(turnId)).state === 'waiting') return NOTHING_RUNS;
  const turn = await deps.turns.open(turnId);
  const answer = await answerSoFar(deps, sessionId);
  const live = await liveMessages(turn, signal);
  const before = answer.filter(({ message_id: id, turn_id: of }) =>
    live === null ? of !== turnId : id !== live.messageId,
  );
  const calls = await listSettledCalls(deps.db, sessionId, before.map(idOf));
  const told = {
    messageId: before.find(({ role }) => role === 'assistant')?.message_id ?? null,
    before: toChunks(before, calls),
    toldCalls: calls.map(({ callId }) => callId),
  };
  return streamOf(deps, turn, told, {});
}

async function holderOf({ turns }: DialectDeps, sessionId: string): Promise<string | null> {
  try {
    return await turns.holderOf(sessionId);
  } catch (error) {
    if (error instanceof MochiError && error.kind === 'no_active_turn') return null;
    throw error;
  }
}

/** The messages after the last one of the user. */
async function answerSoFar({ db }: DialectDeps, sessionId: string): Promise<Message[]> {
  const { depth } = (await findUserMessage(db, sessionId, 'last')) ?? { depth: SYSTEM_DEPTH };
  return listPath(db, sessionId, { from: depth + 1 });
}

/** Of a turn whose first events are gone: the message that its snapshot has; null: all of its events are there. */
async function liveMessages(
  turn: Turn,
  left: AbortSignal,
): Promise<{ readonly messageId: string | null } | null> {
  for await (const [first] of turn.watch(0, left, 'there')) {
    if (first?.event.event !== 'snapshot') return null;
    return { messageId: first.event.data.message?.message_id ?? null };
  }
  return null;
}

function idOf({ message_id: id }: Message): string {
  return id;
}

/** An abort of the SDK is a lost connection: this is how a person stops the model. */
export async function stopChat(
  deps: DialectDeps,
  { params, body }: Asked<{ turn_id?: string | null } | null>,
): Promise<JsonAnswer> {
  const { session_id: sessionId } = await requireUiSession(deps, params['id'] ?? '');
  const turnId = await holderOf(deps, sessionId);
  const { turn_id: meant = null } = body ?? {};
  if (turnId !== null && (meant === null || meant === turnId)) await deps.turns.cancel(turnId, true);
  return { as: 'json', body: { success: true } };
}

/** For `useChat({id, messages})`. */
export async function readChat(deps: DialectDeps, { params }: Asked): Promise<JsonAnswer> {
  const { db } = deps;
  const { id = '' } = params;
  const { session_id: sessionId, active_turn: activeTurn } = await requireUiSession(deps, id);
  const path = await listPath(db, sessionId, { from: SYSTEM_DEPTH + 1 });
  const names = await listClientIds(db, sessionId);
  const turnIds = new Set(path.flatMap(({ turn_id: of }) => (of === null ? [] : [of])));
  const undecided =
    activeTurn === null ? [] : ((await listUndecided(db, [activeTurn])).get(activeTurn) ?? []);
  const messages = toUiMessages(
    path.map((message) => ({ ...message, clientId: names.get(message.message_id) ?? null })),
    {
      calls: await listSettledCalls(db, sessionId, path.map(idOf)),
      approvals: new Map(undecided.map(({ tool_call_id: call, confirmation_id: of }) => [call ?? '', of])),
      turns: await describeTurns(db, [...turnIds]),
    },
  );
  return { as: 'json', body: { id, session_id: sessionId, active_turn: activeTurn, messages } };
}
