// What a command of the conversation has at hand.
import type { Interface } from 'node:readline';
import { say } from '../terminal.ts';
import type { ChatHistory } from './chat-history.ts';
import type { Conversation } from './conversation.ts';
import { type Choice, pick } from './pick.ts';
import type { TypedLines } from './typed-lines.ts';

export interface ChatPlace {
  readonly conversation: Conversation;
  readonly typed: TypedLines;
  readonly lines: Interface;
  readonly isTerminal: boolean;
  readonly history: ChatHistory | null;
  /** What the next line begins with. */
  draft: string;
  /** What Ctrl-C gives up: a question of a command. */
  asking: AbortController | null;
}

/** A question that Ctrl-C gives up. */
async function askPerson<Answer>(
  place: ChatPlace,
  ask: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const asking = new AbortController();
  place.asking = asking;
  try {
    return await ask(asking.signal);
  } finally {
    place.asking = null;
    if (asking.signal.aborted) say('\n');
  }
}

export function pickOne<Item>(place: ChatPlace, choice: Choice<Item>): Promise<Item | null> {
  return askPerson(place, (signal) => pick(place.typed, choice, signal));
}

export async function askYes(place: ChatPlace, question: string): Promise<boolean> {
  const answer = await askPerson(place, (signal) => place.typed.next(`${question} (y, n) `, { signal }));
  return /^y(es)?$/i.test(answer?.trim() ?? '');
}
