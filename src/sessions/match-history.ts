// How a conversation is recognised by what its client has of it: each message in a normal form, and a chain of hashes
// over them, so that one look-up finds the longest part that is known. Pure.
import { hash } from 'node:crypto';
import type { EngineMessage, EngineToolCall } from '../contract/engine.ts';
import { canonicalJson } from '../kit/digest.ts';

/** A message as its client has it. */
export type SaidMessage = Pick<EngineMessage, 'role' | 'content' | 'images'> & {
  readonly toolCalls?: readonly Pick<EngineToolCall, 'name' | 'arguments'>[];
  /** What its speaker said of it, where system texts were told with it; null: nothing. Missing: all of it. */
  readonly own?: string | null;
};

/** Between the texts of two steps of a turn, which clients of other APIs are told as one answer. */
export const STEP_GAP = '\n\n';

/** Some clients show thoughts in the text, and send them back there. */
const LEADING_THOUGHT = /^<think>.*?<\/think>/s;

/** What a text is, whatever a client does to its ends, its lines and its accents. */
export function plainText(text: string): string {
  const lines = text.normalize('NFC').replaceAll(/\r\n?/g, '\n').trim();
  return lines.startsWith('<think>') ? lines.replace(LEADING_THOUGHT, '').trim() : lines;
}

/** Null: nothing of it counts. */
function formOf({ role, content, images = [], toolCalls = [], own = content }: SaidMessage): string | null {
  if (own === null || role === 'system') return null;
  const parts: unknown[] = [role, plainText(own)];
  if (images.length > 0) parts.push(images.map((image) => hash('sha256', image, 'base64url')));
  if (toolCalls.length > 0) parts.push(canonicalJson(toolCalls.map((call) => [call.name, call.arguments])));
  return JSON.stringify(parts);
}

export interface HistoryChain {
  /** Of everything up to the end of each assistant message, and how many messages that are; the shortest first. */
  readonly answers: readonly { readonly hash: string; readonly count: number }[];
  /** Of everything. */
  readonly end: string;
}

/** @param start of the key that it is sent with: another key never finds it */
export function chainOf(start: string, messages: readonly SaidMessage[]): HistoryChain {
  const answers: { hash: string; count: number }[] = [];
  let end = start;
  for (const [index, message] of messages.entries()) {
    end = nextHash(end, message);
    if (message.role === 'assistant') answers.push({ hash: end, count: index + 1 });
  }
  return { answers, end };
}

export function nextHash(before: string, message: SaidMessage): string {
  const form = formOf(message);
  return form === null ? before : hash('sha256', `${before}\n${form}`, 'base64url');
}
