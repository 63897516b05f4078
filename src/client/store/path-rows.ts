// The rows of a conversation: a stretch of the path here and there, by position.
import type { AnswerMessage, Message } from '../wire.ts';

export type Rows = ReadonlyMap<number, Message>;

interface Stretch {
  readonly from: number;
  readonly messages: readonly Message[];
}

/** What was read, in the place of what was known from there on: the path may have another end. */
export function replaceFrom(rows: Rows, { from, messages }: Stretch): Rows {
  const kept = [...rows].filter(([index]) => index < from);
  const read = numbered(from, messages).map(([index, message]): [number, Message] => {
    const known = rows.get(index);
    // Whoever draws rows draws those that are others.
    return [index, isSame(known, message) ? known : message];
  });
  return new Map([...kept, ...read]);
}

function isSame(known: Message | undefined, read: Message): known is Message {
  return known !== undefined && JSON.stringify(known) === JSON.stringify(read);
}

/** What was read, beside what is known. */
export function addStretch(rows: Rows, { from, messages }: Stretch): Rows {
  return new Map([...rows, ...numbered(from, messages)]);
}

function numbered(from: number, messages: readonly Message[]): [number, Message][] {
  return messages.map((message, at) => [from + at, message]);
}

/** The final message in the place of the one that was being written; rows without it stay as they are. */
export function completeRow(rows: Rows, { parsed: _parsed, ...message }: AnswerMessage): Rows {
  const index = findIndex(rows, (row) => row.message_id === message.message_id);
  const row = index === null ? undefined : rows.get(index);
  if (index === null || row === undefined) return rows;
  return new Map([...rows, [index, { ...row, ...message, status: 'complete' }]]);
}

/** The first position whose row matches; null: none that was read. */
export function findIndex(rows: Rows, matches: (row: Message) => boolean): number | null {
  const found = [...rows].filter(([, row]) => matches(row)).map(([index]) => index);
  return found.length === 0 ? null : Math.min(...found);
}

/** The first stretch between two positions that was not read; null: all of it was. */
export function missingIn(rows: Rows, from: number, to: number): { from: number; to: number } | null {
  let first = from;
  while (first < to && rows.has(first)) first += 1;
  let last = to;
  while (last > first && rows.has(last - 1)) last -= 1;
  return first === last ? null : { from: first, to: last };
}

/** Where the stretch begins that reaches to the end of the path. */
export function beginOfEnd(rows: Rows, total: number): number {
  let begin = total;
  while (rows.has(begin - 1)) begin -= 1;
  return begin;
}
