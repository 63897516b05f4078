// What was said until now, as a request of any dialect brings it: one system text, then messages whose calls and
// results belong together. Nothing that a client may have mixed up is an error.
import type { EngineMessage, EngineToolCall } from '../contract/engine.ts';

/** A message as its client said it. */
export interface SaidMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
  readonly thinking?: string;
  readonly images?: readonly string[];
  readonly toolCalls?: readonly SaidCall[];
  /** Of a result, as far as the client says: the call that it answers, and the tool. */
  readonly toolCallId?: string;
  readonly toolName?: string;
}

/** A call of an assistant message; some clients give it no id. */
export type SaidCall = Omit<EngineToolCall, 'id' | 'origin'> & { readonly id: string | null };

/** A message with what its speaker said of it, where system texts were told with it; null: nothing. */
export type HistoryMessage = EngineMessage & { readonly own?: string | null };

export interface History {
  /** Null: none. */
  readonly system: string | null;
  /** Users, assistants and tools. Behind an assistant message come the results of its calls, in call order. */
  readonly messages: readonly HistoryMessage[];
}

/** What a call reads that nobody gave a result of. */
const NO_RESULT = 'Error: no result was given';
/** How Claude Code begins its first system text: with a hash that is another one at every request. */
const BILLING_TEXT = 'x-anthropic-billing-header:';

/** @param instructions said before everything, apart from the messages */
export function toHistory(
  messages: readonly SaidMessage[],
  instructions: readonly (string | null | undefined)[] = [],
): History {
  const first = messages.findIndex(({ role }) => role !== 'system');
  const leading = first === -1 ? messages : messages.slice(0, first);
  const texts = [...instructions, ...leading.map(({ content }) => content)].filter(
    (text): text is string => text != null && text !== '' && !text.startsWith(BILLING_TEXT),
  );
  return {
    system: texts.length === 0 ? null : texts.join('\n\n'),
    messages: first === -1 ? [] : joinCalls(tellLateSystem(messages.slice(first))),
  };
}

type ToldMessage = SaidMessage & Pick<HistoryMessage, 'own'>;

/** A model reads one system text, and that comes first: later ones are told by the user. */
function tellLateSystem(messages: readonly SaidMessage[]): ToldMessage[] {
  const told: ToldMessage[] = [];
  for (const message of messages) {
    const last = told.at(-1);
    if (message.role !== 'system') told.push(message);
    else if (last?.role === 'user') {
      const { own = last.content } = last;
      told.push({ ...told.pop(), role: 'user', content: joinTexts(last.content, message.content), own });
    } else if (message.content !== '') told.push({ role: 'user', content: message.content, own: null });
  }
  return told;
}

function joinTexts(one: string, other: string): string {
  return [one, other].filter((text) => text !== '').join('\n\n');
}

/** Every call gets an id of its own, and its result, wherever that stands; a result of no call stays where it is. */
function joinCalls(messages: readonly ToldMessage[]): HistoryMessage[] {
  const used = new Set<string>();
  const nameCall = (id: string | null, fallback: string) => {
    const name = id === null || used.has(id) ? fallback : id;
    used.add(name);
    return name;
  };
  const places = findResults(messages);
  const claimed = new Set([...places.values()].flat().filter((at) => at !== null));
  return messages.flatMap((message, at) => {
    if (message.role === 'tool' && claimed.has(at)) return [];
    const calls = message.toolCalls ?? [];
    if (message.role !== 'assistant' || calls.length === 0) return [toEngineMessage(message, null)];
    const known = calls.map((call, index) => ({ ...call, id: nameCall(call.id, `call_${at}_${index}`) }));
    const results = places.get(at) ?? [];
    // What comes last is open.
    if (at === messages.length - 1) return [toEngineMessage(message, known)];
    return [
      toEngineMessage(message, known),
      ...known.map(({ id, name }, index) => toResult(messages[results[index] ?? -1], { id, name })),
    ];
  });
}

function toResult(
  result: SaidMessage | undefined,
  { id, name }: { readonly id: string; readonly name: string },
): EngineMessage {
  const said = result === undefined ? { role: 'tool' as const, content: NO_RESULT } : result;
  return { ...toEngineMessage(said, null), toolCallId: id, toolName: name };
}

/** The results of the calls of one message: where each stands; null: nowhere. */
interface Asking {
  readonly calls: readonly SaidCall[];
  readonly results: (number | null)[];
}

/** By the place of each assistant message with calls. A result is of the newest call with its id; else see `findUnnamed`. */
function findResults(messages: readonly SaidMessage[]): ReadonlyMap<number, Asking['results']> {
  const found = new Map<number, Asking['results']>();
  const byId = new Map<string, { readonly asking: Asking; readonly index: number }>();
  let last: Asking | null = null;
  for (const [at, { role, toolCalls: calls = [], toolCallId, toolName }] of messages.entries()) {
    if (role === 'assistant' && calls.length > 0) {
      const asking: Asking = { calls, results: calls.map(() => null) };
      for (const [index, { id }] of calls.entries()) if (id !== null) byId.set(id, { asking, index });
      found.set(at, asking.results);
      last = asking;
    } else if (role === 'tool') {
      const named = toolCallId === undefined ? undefined : byId.get(toolCallId);
      const isOpen = named?.asking.results[named.index] === null;
      const call = isOpen ? named : findUnnamed(last, toolName);
      if (call != null) call.asking.results[call.index] = at;
    }
  }
  return found;
}

/** Clients of Ollama give no ids: the first open call of the tool, else the first that is open. */
function findUnnamed(
  asking: Asking | null,
  toolName: string | undefined,
): { readonly asking: Asking; readonly index: number } | null {
  const open = asking?.calls.flatMap(({ name }, index) =>
    asking.results[index] === null ? [{ asking, index, name }] : [],
  );
  return open?.find(({ name }) => name === toolName) ?? open?.[0] ?? null;
}

function toEngineMessage(message: ToldMessage, calls: readonly EngineToolCall[] | null): HistoryMessage {
  const { role, content, thinking, images = [], toolCallId, toolName, own } = message;
  return {
    role,
    content,
    ...(thinking !== undefined && thinking !== '' && { thinking }),
    ...(images.length > 0 && { images }),
    ...(calls !== null && { toolCalls: calls }),
    ...(toolCallId !== undefined && { toolCallId }),
    ...(toolName !== undefined && { toolName }),
    ...(own !== undefined && { own }),
  };
}

/** A history that stands alone: every call has a result, and a result of no call is something that the user says. */
export function closeHistory(messages: readonly HistoryMessage[]): HistoryMessage[] {
  const open = new Set<string>();
  const closed = messages.map((message): HistoryMessage => {
    const { role, content, images, toolCalls = [], toolCallId = '' } = message;
    for (const { id } of toolCalls) open.add(id);
    if (role !== 'tool' || open.delete(toolCallId)) return message;
    return { role: 'user', content, ...(images && { images }) };
  });
  const { toolCalls = [] } = closed.at(-1) ?? {};
  const missing = toolCalls.map(
    ({ id, name }): EngineMessage => ({ role: 'tool', content: NO_RESULT, toolCallId: id, toolName: name }),
  );
  return [...closed, ...missing];
}

/** Whether a client sends the whole conversation, and not only what is new. */
export function isWhole({ messages }: History): boolean {
  return messages.some(({ role }) => role === 'assistant');
}
