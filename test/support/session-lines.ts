// A session of any length as lines of an export.
import { EXAMPLE_LINES } from '../../src/contract/jsonl-example.ts';

const [SESSION, MESSAGE, , TURN] = EXAMPLE_LINES;

export interface SessionLines {
  readonly id: string;
  readonly messages: number;
  readonly turns?: number;
  /** Of each message; default: its number. */
  readonly content?: (index: number) => string;
}

/** One path of messages, and turns that ended. */
export function sessionLines({ id, messages, turns = 0, content = String }: SessionLines): string {
  const lines: object[] = [{ ...SESSION, session_id: id, head: `m${messages - 1}` }];
  for (let index = 0; index < messages; index += 1) {
    lines.push({
      ...MESSAGE,
      message_id: `m${index}`,
      parent_id: index === 0 ? null : `m${index - 1}`,
      role: index % 2 === 0 ? 'user' : 'assistant',
      content: content(index),
    });
  }
  for (let index = 0; index < turns; index += 1) lines.push({ ...TURN, turn_id: `turn_${id}_${index}` });
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
