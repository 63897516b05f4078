// How far the tree of a session knows what a client has of the conversation. Inside the caller's transaction.
import { isDeepStrictEqual } from 'node:util';
import { plainText, STEP_GAP } from '../sessions/match-history.ts';
import { listChildren } from '../store/children.ts';
import { listAnswerCalls } from '../store/client-calls.ts';
import type { Db } from '../store/database.ts';
import type { PromptMessage } from '../store/messages.ts';
import type { PathPlace } from '../store/path-place.ts';
import type { PlacedMessage } from './turn-request.ts';

export interface KnownPart {
  /** Where it ends; null: nothing is known. */
  readonly place: (PathPlace & { readonly active: boolean }) | null;
  /** How many of the messages it is. */
  readonly count: number;
}

/** Goes on from a known part as long as what comes next is there. */
export async function walkHistory(
  db: Db,
  sessionId: string,
  start: KnownPart,
  messages: readonly PlacedMessage[],
): Promise<KnownPart> {
  let known = { ...start, place: await passResults(db, sessionId, start.place) };
  for (const message of messages.slice(start.count)) {
    const next = await findNext(db, sessionId, known.place, message);
    if (next === null) break;
    known = { place: await passResults(db, sessionId, toPlace(next)), count: known.count + 1 };
  }
  return known;
}

async function findNext(
  db: Db,
  sessionId: string,
  place: PathPlace | null,
  message: PlacedMessage,
): Promise<PromptMessage | null> {
  if (message.role === 'assistant') return findAnswer(db, sessionId, { place, told: '' }, message);
  const children = await shownFirst(db, sessionId, place);
  return children.find((child) => isSame(child, message)) ?? null;
}

/**
 * The message with which an answer ends. It may be several steps, with tools that ran here between them: its client was
 * told their texts as one, and the calls that it was left.
 */
async function findAnswer(
  db: Db,
  sessionId: string,
  from: { readonly place: PathPlace | null; readonly told: string },
  answer: PlacedMessage,
): Promise<PromptMessage | null> {
  for (const child of await shownFirst(db, sessionId, from.place)) {
    const place = toPlace(child);
    if (child.role === 'tool') {
      const found = await findAnswer(db, sessionId, { place, told: from.told }, answer);
      if (found !== null) return found;
    } else if (child.role === 'assistant') {
      const told = [from.told, child.content].filter((text) => text !== '').join(STEP_GAP);
      const calls = child.tool_calls === null ? [] : await listAnswerCalls(db, sessionId, child.message_id);
      const handed = calls.filter(({ runs_at: runsAt }) => runsAt === 'client');
      if (isText(answer, told) && isCalls(answer, handed)) return child;
      const isStep = calls.length > 0 && handed.length === 0;
      const found = isStep ? await findAnswer(db, sessionId, { place, told }, answer) : null;
      if (found !== null) return found;
    }
  }
  return null;
}

/** Results of tools that ran here, of a message that left other calls to the client. */
async function passResults(
  db: Db,
  sessionId: string,
  start: KnownPart['place'],
): Promise<KnownPart['place']> {
  let place = start;
  if (place === null) return null;
  const calls = await listAnswerCalls(db, sessionId, place.id);
  const ids = new Set(calls.flatMap(({ id, runs_at: runsAt }) => (runsAt === 'server' ? id : [])));
  while (ids.size > 0) {
    const children = await shownFirst(db, sessionId, place);
    const result = children.find(({ role, toolCallId }) => role === 'tool' && ids.delete(toolCallId ?? ''));
    if (result === undefined) return place;
    place = toPlace(result);
  }
  return place;
}

/** What is shown comes before what is on other branches. */
async function shownFirst(db: Db, sessionId: string, place: PathPlace | null): Promise<PromptMessage[]> {
  const children = await listChildren(db, sessionId, place);
  return children.toSorted((one, other) => Number(other.active) - Number(one.active));
}

function toPlace({ message_id: id, depth, active }: PromptMessage): NonNullable<KnownPart['place']> {
  return { id, depth, active };
}

function isSame(stored: PromptMessage, message: PlacedMessage): boolean {
  return (
    stored.role === message.role &&
    isText(message, stored.content) &&
    isDeepStrictEqual(stored.images ?? [], message.images ?? [])
  );
}

/** System texts that are told with a message may be others by now. */
function isText({ content, own = null }: PlacedMessage, stored: string): boolean {
  const text = plainText(stored);
  return text === plainText(content) || (own !== null && text === plainText(own));
}

function isCalls(
  { toolCalls = [] }: PlacedMessage,
  handed: Awaited<ReturnType<typeof listAnswerCalls>>,
): boolean {
  return isDeepStrictEqual(
    toolCalls.map((call) => [call.name, call.arguments]),
    handed.map((call) => [call.function.name, call.function.arguments]),
  );
}
