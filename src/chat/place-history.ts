// Puts what a client says on the path: what the tree knows of it is gone to, and the rest follows. Inside the caller's
// transaction.

import { MochiError } from '../contract/errors.ts';
import type { ClientToolResult } from '../contract/tool.ts';
import { requireMessage, requireSession } from '../sessions/require.ts';
import { placeSystemMessage } from '../sessions/system-prompt.ts';
import { type AppendedMessage, appendMany, moveHead } from '../store/active-path.ts';
import { type BroughtCall, insertBroughtCalls } from '../store/brought-calls.ts';
import { listHandedCalls } from '../store/client-calls.ts';
import type { Db } from '../store/database.ts';
import { findLongestMark } from '../store/history-marks.ts';
import { findMessage, findSystemMessage, type PathMessage, SYSTEM_DEPTH } from '../store/messages.ts';
import type { PathPlace } from '../store/path-place.ts';
import { findTurn } from '../store/turns.ts';
import { answerHandedCalls } from './client-results.ts';
import { emptyHistory } from './empty-history.ts';
import { withKnownCallIds } from './known-call-ids.ts';
import type { TurnDeps } from './turn-deps.ts';
import type { PlacedHistory, PlacedMessage } from './turn-request.ts';
import { type KnownPart, walkHistory } from './walk-history.ts';

type PlaceDeps = Pick<TurnDeps, 'db' | 'newId' | 'now'>;

interface PlacingTurn {
  readonly sessionId: string;
  readonly turnId: string;
}

export interface PlacedEnd {
  /** The message to answer. */
  readonly tip: PathPlace;
  /** That, where it is a user's. */
  readonly userMessageId: string | null;
}

/** @throws MochiError message_not_found, turn_not_found, tool_call_not_found, empty_history */
export async function placeHistory(
  deps: PlaceDeps,
  turn: PlacingTurn,
  placed: PlacedHistory,
): Promise<PlacedEnd> {
  const { db, now } = deps;
  const { sessionId } = turn;
  const { messages } = placed;
  const start = await findStart(db, sessionId, placed);
  const known = placed.after === 'head' ? start : await walkHistory(db, sessionId, start, messages);
  const { place, count } = known;
  if (place !== null && !place.active) await moveHead(db, sessionId, place, now());
  await placeSystem(deps, sessionId, placed.system);
  const { tip, rest } = await answerCalls(deps, turn, { place, messages, count });
  const told = rest.map((message) => tellStray(message, placed));
  const end = await appendSaid(deps, turn, tip, told);
  if (end === null) throw emptyHistory(sessionId);
  const last = told.at(-1);
  if (last !== undefined) return { tip: end, userMessageId: last.role === 'user' ? end.id : null };
  const message = await findMessage(db, sessionId, end.id);
  return { tip: end, userMessageId: message?.role === 'user' ? end.id : null };
}

async function findStart(db: Db, sessionId: string, { after, chain }: PlacedHistory): Promise<KnownPart> {
  if (after === 'head') {
    const { headId, headDepth } = await requireSession(db, sessionId);
    return { place: headId === null ? null : { id: headId, depth: headDepth, active: true }, count: 0 };
  }
  if (after !== 'nothing') {
    const id = 'turnId' in after ? await endOfTurn(db, sessionId, after.turnId) : after.messageId;
    return { place: toPlace(await requireMessage(db, sessionId, id)), count: 0 };
  }
  const { answers = [] } = chain ?? {};
  const mark = await findLongestMark(
    db,
    answers.map(({ hash }) => hash),
    sessionId,
  );
  const message = mark && (await findMessage(db, sessionId, mark.messageId));
  if (mark === null || message === null) return { place: null, count: 0 };
  return { place: toPlace(message), count: answers[mark.place]?.count ?? 0 };
}

/** @throws MochiError turn_not_found */
async function endOfTurn(db: Db, sessionId: string, turnId: string): Promise<string> {
  const turn = await findTurn(db, turnId);
  if (turn?.session_id === sessionId && turn.message_id !== null) return turn.message_id;
  throw new MochiError('turn_not_found', `Turn ${turnId} has no answer to go on from.`, { turn_id: turnId });
}

/** The system message stands before the tree. */
function toPlace({ message_id: id, depth, active }: PathMessage): KnownPart['place'] {
  return depth === SYSTEM_DEPTH ? null : { id, depth, active };
}

/** The same text keeps its message: the engine goes on from what it has read. */
async function placeSystem(deps: PlaceDeps, sessionId: string, content: string | null): Promise<void> {
  if (content === null) return;
  const system = await findSystemMessage(deps.db, sessionId);
  if (system?.content !== content) await placeSystemMessage(deps, sessionId, { content, sourceFile: null });
}

/** Calls that were left open get their results, or are told that there are none, before anything follows them. */
async function answerCalls(
  deps: PlaceDeps,
  { sessionId, turnId }: PlacingTurn,
  said: KnownPart & { readonly messages: readonly PlacedMessage[] },
): Promise<{ readonly tip: PathPlace | null; readonly rest: readonly PlacedMessage[] }> {
  const { place, count } = said;
  const rest = said.messages.slice(count);
  if (place === null || rest.length === 0) return { tip: place, rest };
  const handed = (await listHandedCalls(deps.db, sessionId)).filter(({ depth }) => depth <= place.depth);
  const [first] = handed;
  if (first === undefined) return { tip: place, rest };
  const messages = await withKnownCallIds(deps.db, { sessionId, messageId: first.messageId }, said);
  const open = new Set(handed.map(({ callId }) => callId));
  const results = messages.filter(({ role, toolCallId = '' }) => role === 'tool' && open.delete(toolCallId));
  const tip = await answerHandedCalls(deps, {
    sessionId,
    turnId,
    tip: place,
    results: results.map(toResult),
  });
  return { tip, rest: messages.filter((message) => !results.includes(message)) };
}

/** As clients of other APIs say that a call has failed. */
const FAILED = 'Error: ';

function toResult({ content, toolCallId = '' }: PlacedMessage): ClientToolResult {
  if (!content.startsWith(FAILED)) return { tool_call_id: toolCallId, content };
  return { tool_call_id: toolCallId, content: content.slice(FAILED.length), is_error: true };
}

/** A result of a call that is in nobody's history. @throws MochiError tool_call_not_found */
function tellStray(message: PlacedMessage, { messages, refusesStray }: PlacedHistory): PlacedMessage {
  const { role, content, images, toolCallId = '' } = message;
  const isCalled = messages.some(({ toolCalls = [] }) => toolCalls.some(({ id }) => id === toolCallId));
  if (role !== 'tool' || isCalled) return message;
  if (!refusesStray) return { role: 'user', content, ...(images && { images }) };
  throw new MochiError(
    'tool_call_not_found',
    `No tool call found for function call output with call_id ${toolCallId}.`,
    { tool_call_id: toolCallId },
  );
}

/**
 * Behind a message of the active path, inside the caller's transaction. Calls among them have their results with them.
 */
export async function appendSaid(
  { db, newId, now }: PlaceDeps,
  { sessionId, turnId }: { readonly sessionId: string; readonly turnId: string | null },
  tip: PathPlace | null,
  messages: readonly PlacedMessage[],
): Promise<PathPlace | null> {
  const timestamp = now();
  const lastAnswer = messages.findLastIndex(({ role }) => role === 'assistant');
  const rows = messages.map(
    (message, index): AppendedMessage => ({
      ...toStored(message),
      sessionId,
      id: newId(10),
      timestamp,
      status: 'complete',
      // What was said before is of no turn here.
      turnId: index > lastAnswer ? turnId : null,
    }),
  );
  const end = await appendMany(db, tip, rows);
  await insertBroughtCalls(db, sessionId, listCalls(messages, rows));
  return end;
}

function toStored(message: PlacedMessage) {
  const { role, content, thinking = null, images = [], toolCalls, toolName, toolCallId, clientId } = message;
  const calls = toolCalls?.map(({ name, arguments: given }) => ({
    function: { name, arguments: typeof given === 'string' ? {} : { ...given } },
  }));
  return {
    role,
    content,
    thinking,
    images,
    toolCalls: calls ?? null,
    toolName: toolName ?? null,
    toolCallId: toolCallId ?? null,
    clientId: clientId ?? null,
  };
}

/** Each with the first result of its id that follows it. */
function listCalls(messages: readonly PlacedMessage[], rows: readonly AppendedMessage[]): BroughtCall[] {
  const calls: BroughtCall[] = [];
  for (const [index, { toolCalls = [] }] of messages.entries()) {
    const results = rows.slice(index + 1, index + 1 + toolCalls.length);
    for (const [callIndex, call] of toolCalls.entries()) {
      const result = results.find(({ toolCallId }) => toolCallId === call.id);
      const [messageId, resultId] = [rows[index]?.id, result?.id];
      if (messageId !== undefined && resultId !== undefined) {
        calls.push({ messageId, callIndex, call, resultId });
      }
    }
  }
  return calls;
}
