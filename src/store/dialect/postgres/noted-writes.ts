// Which sessions, turns and approvals a statement has changed: it is made to say so itself, with the rows that it returns.
// No way of changing one can be forgotten, and none costs a statement more.
import {
  ColumnNode,
  type CompiledQuery,
  type DeleteQueryNode,
  type InsertQueryNode,
  type OperationNode,
  TableNode,
  type UpdateQueryNode,
} from 'kysely';
import type { StoreChange } from '../../change-notes.ts';

/** How a statement is asked what it has changed. */
export interface NotedWrite {
  /** Missing: it returns its rows by itself. */
  readonly returning: string | null;
  changesOf(row: Record<string, unknown>): StoreChange[];
}

/** Columns of what clients are told in lists; a change of any other is no change to them. */
const LISTED = {
  session_rows: new Set(['title', 'updated_at', 'head_depth', 'system_id', 'hidden', 'listed']),
  turns: new Set(['state', 'finished_at']),
  approvals: new Set(['change']),
};

type NotedTable = keyof typeof LISTED;

const known = new WeakMap<OperationNode, NotedWrite | null>();

/** Null: nothing that clients list. */
export function notedWrite({ query }: CompiledQuery): NotedWrite | null {
  const before = known.get(query);
  if (before !== undefined) return before;
  const found = describe(query);
  known.set(query, found);
  return found;
}

function describe(query: OperationNode): NotedWrite | null {
  if (query.kind === 'InsertQueryNode') {
    const { into, returning } = query as InsertQueryNode;
    return noted(nameOf(into), { isReturning: returning !== undefined, mayHide: false });
  }
  if (query.kind === 'UpdateQueryNode') {
    const { table, updates = [], returning } = query as UpdateQueryNode;
    const columns = updates.map(({ column }) => (ColumnNode.is(column) ? column.column.name : ''));
    const name = nameOf(table);
    if (name === null || !columns.some((column) => LISTED[name].has(column))) return null;
    return noted(name, { isReturning: returning !== undefined, mayHide: columns.includes('hidden') });
  }
  if (query.kind === 'DeleteQueryNode') {
    const { from, returning } = query as DeleteQueryNode;
    const name = nameOf(from.froms[0]);
    return name === 'session_rows'
      ? noted(name, { isReturning: returning !== undefined, mayHide: false })
      : null;
  }
  return null;
}

function nameOf(table: OperationNode | undefined): NotedTable | null {
  if (table === undefined || !TableNode.is(table)) return null;
  const { name } = table.table.identifier;
  return name in LISTED ? (name as NotedTable) : null;
}

/** Chats of agents, sessions in no list and those that are hidden before and after: nobody hears of them. */
function noted(
  table: NotedTable | null,
  { isReturning, mayHide }: { readonly isReturning: boolean; readonly mayHide: boolean },
): NotedWrite | null {
  if (table === 'approvals') {
    return {
      returning: isReturning ? null : 'returning id',
      changesOf: ({ id }) => [{ kind: 'approval', id: String(id) }],
    };
  }
  if (table === null) return null;
  if (isReturning) throw new Error(`A write of ${table} that returns rows cannot say what it has changed.`);
  if (table === 'turns') {
    return {
      // By its key. As conditions these would fit an index of lists, all of which is read while its table is taken for small.
      returning: `returning id, session_id, (
        select kind = 'chat' and listed = 1 from sessions where sessions.id = turns.session_id
      ) as is_listed`,
      changesOf: ({ id, session_id: sessionId, is_listed: isListed }) =>
        isListed === true
          ? [
              { kind: 'session', id: String(sessionId) },
              { kind: 'turn', id: String(id) },
            ]
          : [],
    };
  }
  return {
    returning: `returning id, kind = 'chat' and listed = 1 and (hidden is null or ${mayHide}) as is_listed`,
    changesOf: ({ id, is_listed: isListed }) =>
      isListed === true ? [{ kind: 'session', id: String(id) }] : [],
  };
}
