// Checked lines → the rows of one session: places in the tree, the active path, and what belongs together.

import { isFinalState } from '../../contract/turn.ts';
import { isMetadata } from '../../sessions/metadata.ts';
import { SYSTEM_DEPTH } from '../../store/messages.ts';
import type {
  MessageRow,
  RowCounts,
  SessionRow,
  SessionRows,
  ToolCallRow,
  ToolExecutionRow,
  TurnRow,
} from '../../store/session-rows.ts';
import {
  EXECUTION_COLUMNS,
  type Line,
  MESSAGE_COLUMNS,
  SESSION_COLUMNS,
  TOOL_CALL_COLUMNS,
  TURN_COLUMNS,
  toRow,
} from './columns.ts';

/** What is wrong with a line or with what the lines say together; for people, and never a quote of what was said. */
export class LineError extends Error {
  override readonly name = 'LineError';
  /** Of the session that the line begins, where it can be read. */
  readonly sourceId: string | null;

  constructor(message: string, sourceId: string | null = null) {
    super(message);
    this.sourceId = sourceId;
  }
}

interface MessageEntry {
  readonly row: MessageRow;
  readonly calls: readonly ToolCallRow[];
}

export class SessionBuilder {
  readonly #session: SessionRow;
  readonly #announced: { readonly [Kind in keyof RowCounts]: number | null };
  readonly #messages = new Map<string, MessageEntry>();
  readonly #turns = new Map<string, TurnRow>();
  readonly #executions = new Map<string, ToolExecutionRow>();
  readonly #executionIds = new Set<string>();

  /** @param line of a session, as its schema says. @throws LineError */
  constructor(line: Line) {
    this.#session = toRow(SESSION_COLUMNS, line, {
      head_depth: SYSTEM_DEPTH,
      preview: null,
      import_hash: null,
      prompt_mark: null,
    });
    // The schema says so.
    const counts = line as Record<string, number | null>;
    const { message_lines: messages, turn_lines: turns, execution_lines: executions } = counts;
    this.#announced = {
      messages: messages ?? null,
      turns: turns ?? null,
      executions: executions ?? null,
    };
    const { kind, agent_name: agent, parent_session_id: parent } = this.#session;
    if (kind === 'chat' && (agent !== null || parent !== null)) {
      throw new LineError('/kind of a session with an agent or a parent must be agent', this.sourceId);
    }
    if (!isMetadata(JSON.parse(this.#session.metadata))) {
      throw new LineError('/metadata is too large', this.sourceId);
    }
  }

  get sourceId(): string {
    return this.#session.id;
  }

  /** @param line as its schema says. @throws LineError */
  add(type: 'message' | 'turn' | 'execution', line: Line): void {
    if (type === 'message') this.#addMessage(line);
    else if (type === 'turn') this.#addTurn(line);
    else this.#addExecution(line);
  }

  #addMessage(line: Line): void {
    const { calls, ...message } = line;
    const placeless = toRow(MESSAGE_COLUMNS, message, { session_id: this.sourceId, active: 0 });
    // Nobody goes on writing it here.
    const status = placeless.status === 'streaming' ? 'partial' : placeless.status;
    const row = { ...placeless, status, depth: this.#depthOf(placeless) };
    if (this.#messages.has(row.id)) throw new LineError(`/message_id ${row.id} is there twice`);
    if ((row.depth === SYSTEM_DEPTH) !== (row.id === this.#session.system_id && row.role === 'system')) {
      throw new LineError(`/role of the system message ${row.id} is ${row.role}`);
    }
    // The schema says that they are lines of calls.
    const entries = (calls as readonly Line[]).map((call, index) =>
      toRow(TOOL_CALL_COLUMNS, call, {
        session_id: this.sourceId,
        message_id: row.id,
        call_index: index,
      }),
    );
    this.#messages.set(row.id, { row, calls: entries });
  }

  #depthOf({ id, parent_id: parentId }: Pick<MessageRow, 'id' | 'parent_id'>): number {
    if (id === this.#session.system_id) return SYSTEM_DEPTH;
    if (parentId === null) return 0;
    const parent = this.#messages.get(parentId)?.row;
    if (parent === undefined || parent.depth === SYSTEM_DEPTH) {
      throw new LineError(`/parent_id ${parentId} is no message before this one`);
    }
    return parent.depth + 1;
  }

  #addTurn(line: Line): void {
    const row = toRow(TURN_COLUMNS, line, { session_id: this.sourceId });
    if (this.#turns.has(row.id)) throw new LineError(`/turn_id ${row.id} is there twice`);
    // A turn under way has not ended, whatever the line says: it is closed once it is here.
    this.#turns.set(row.id, isFinalState(row.state) ? row : { ...row, finished_at: null });
  }

  #addExecution(line: Line): void {
    const row = toRow(EXECUTION_COLUMNS, line, { session_id: this.sourceId, boot_id: '' });
    const { message_id: messageId, call_index: index } = row;
    const calls = messageId === null ? [] : (this.#messages.get(messageId)?.calls ?? []);
    if (index === null || calls[index] === undefined) {
      throw new LineError(`/call_index ${index} of ${messageId} is no call before this line`);
    }
    // One attempt of a call has one line.
    const key = `${messageId} ${index} ${row.attempt}`;
    if (this.#executions.has(key)) throw new LineError(`/attempt ${row.attempt} of a call is there twice`);
    if (this.#executionIds.has(row.id)) throw new LineError(`/execution_id ${row.id} is there twice`);
    this.#executionIds.add(row.id);
    this.#executions.set(key, row);
  }

  /** @throws LineError for what the lines do not hold */
  finish(): SessionRows {
    this.#refuseMissing('message', this.#announced.messages, this.#messages.size);
    this.#refuseMissing('turn', this.#announced.turns, this.#turns.size);
    this.#refuseMissing('execution', this.#announced.executions, this.#executions.size);
    const { system_id: systemId, head_id: headId } = this.#session;
    if (systemId !== null && !this.#messages.has(systemId)) {
      throw new LineError(`the system message ${systemId} is missing`);
    }
    const head = headId === null ? null : this.#messages.get(headId)?.row;
    if (head === undefined || head?.depth === SYSTEM_DEPTH)
      throw new LineError(`the head ${headId} is missing`);
    const path = this.#pathTo(head);
    return {
      session: { ...this.#session, head_depth: head?.depth ?? SYSTEM_DEPTH },
      messages: Array.from(this.#messages.values(), ({ row, calls }) => ({
        row: { ...row, active: row.id === systemId || path.has(row.id) ? 1 : 0 },
        calls,
      })),
      turns: [...this.#turns.values()],
      executions: [...this.#executions.values()],
    };
  }

  #refuseMissing(what: string, announced: number | null, found: number): void {
    if (announced === null || announced === found) return;
    throw new LineError(`there are ${found} ${what} lines, not ${announced}: the file is not whole`);
  }

  #pathTo(head: MessageRow | null): Set<string> {
    const path = new Set<string>();
    let place = head;
    while (place !== null) {
      path.add(place.id);
      place = place.parent_id === null ? null : (this.#messages.get(place.parent_id)?.row ?? null);
    }
    return path;
  }
}
