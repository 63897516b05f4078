// A session as lines of JSON: the whole tree, losing nothing.
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { JSONL_FORMAT } from '../../contract/jsonl.ts';
import type { Db } from '../../store/database.ts';
import {
  countRows,
  type MessageRow,
  type RowCounts,
  type SessionRow,
  type SessionRows,
  streamExecutionRows,
  streamMessageRows,
  streamTurnRows,
  type ToolCallRow,
  type ToolExecutionRow,
  type TurnRow,
} from '../../store/session-rows.ts';
import {
  EXECUTION_COLUMNS,
  type Line,
  MESSAGE_COLUMNS,
  SESSION_COLUMNS,
  TOOL_CALL_COLUMNS,
  TURN_COLUMNS,
  toLine,
} from './columns.ts';

/** One line at a time, without line ends. @param db a snapshot or a transaction: nothing is written between the lines */
export async function* exportLines(db: Db, session: SessionRow): AsyncGenerator<string, void> {
  yield JSON.stringify(sessionLine(session, await countRows(db, session.id)));
  for await (const { row, calls } of streamMessageRows(db, session.id)) {
    yield JSON.stringify(messageLine(row, calls));
  }
  for await (const row of streamTurnRows(db, session.id)) yield JSON.stringify(turnLine(row));
  for await (const row of streamExecutionRows(db, session.id)) yield JSON.stringify(executionLine(row));
}

/** Text is hashed in stretches of about this length, so that nothing else waits long. */
const STRETCH = 64 * 1024;

/** What tells one content from another: the same for the same lines, however they were written. */
export async function hashLines(lines: AsyncIterable<string> | Iterable<string>): Promise<string> {
  const hash = createHash('sha256');
  let stretch = 0;
  for await (const line of lines) {
    hash.update(`${line}\n`);
    stretch += line.length;
    if (stretch > STRETCH) {
      stretch = 0;
      await setImmediate();
    }
  }
  return hash.digest('hex');
}

/** As `exportLines`, of rows that are not stored. */
export function* linesOfRows(rows: SessionRows): Generator<string, void> {
  const { session, messages, turns, executions } = rows;
  yield JSON.stringify(sessionLine(session, countsOf(rows)));
  for (const { row, calls } of messages) yield JSON.stringify(messageLine(row, calls));
  for (const row of turns) yield JSON.stringify(turnLine(row));
  for (const row of executions) yield JSON.stringify(executionLine(row));
}

/** How many lines there are of each kind. */
export function countsOf({ messages, turns, executions }: SessionRows): RowCounts {
  return { messages: messages.length, turns: turns.length, executions: executions.length };
}

function sessionLine(row: SessionRow, count: RowCounts): Line {
  return {
    type: 'session',
    format: JSONL_FORMAT,
    ...toLine(SESSION_COLUMNS, row),
    message_lines: count.messages,
    turn_lines: count.turns,
    execution_lines: count.executions,
  };
}

function messageLine(row: MessageRow, calls: readonly ToolCallRow[]): Line {
  return {
    type: 'message',
    ...toLine(MESSAGE_COLUMNS, row),
    calls: calls.map((call) => toLine(TOOL_CALL_COLUMNS, call)),
  };
}

function turnLine(row: TurnRow): Line {
  return { type: 'turn', ...toLine(TURN_COLUMNS, row) };
}

function executionLine(row: ToolExecutionRow): Line {
  return { type: 'execution', ...toLine(EXECUTION_COLUMNS, row) };
}
