// A turn and its message in one statement, where each statement is a round trip: PostgreSQL alone.
import { type Insertable, type QueryCreator, sql } from 'kysely';
import { PREVIEW_DEPTH, previewOf } from './active-path.ts';
import type { Database, Db, MessageTable, TurnTable } from './database.ts';
import { type NewMessage, toMessageRow } from './insert-messages.ts';
import type { PathPlace } from './path-place.ts';
import { prepared } from './prepared.ts';
import { type NewTurn, toTurnRow } from './turns.ts';

export interface AcceptedAtOnce {
  /** Where the path ends; null: it is empty. */
  readonly head: PathPlace | null;
  /** When the session was changed last, as it was read. */
  readonly seenAt: string;
  /** Behind the head. */
  readonly message: Omit<NewMessage, 'parentId' | 'depth' | 'active'>;
  readonly turn: NewTurn;
}

/** Values by their columns; those of the message and the turn have the name of the table before it. */
type Values = Readonly<Record<string, unknown>>;

/** @returns where the message lies; null, and nothing is changed: the session is not as it was read, or it is busy */
export async function acceptAtOnce(db: Db, accepted: AcceptedAtOnce): Promise<PathPlace | null> {
  const { head, seenAt, turn } = accepted;
  const { id } = accepted.message;
  const depth = head === null ? 0 : head.depth + 1;
  const { at: before = '' } = head ?? {};
  const timestamp = before > accepted.message.timestamp ? before : accepted.message.timestamp;
  const message = toMessageRow({
    ...accepted.message,
    timestamp,
    parentId: head?.id ?? null,
    depth,
    active: true,
  });
  const values = {
    sessionId: accepted.message.sessionId,
    seenAt,
    timestamp,
    depth,
    id,
    ...(head !== null && { from: head.id }),
    ...(depth < PREVIEW_DEPTH && { preview: previewOf(accepted.message.content) }),
    ...named('messages', message),
    ...named('turns', toTurnRow(turn)),
  };
  const { numAffectedRows = 0n } = await addBoth(db, values).catch((error: unknown) => {
    // Another server has begun one at this moment.
    if (error instanceof Error && 'code' in error && error.code === '23505') return { numAffectedRows: 0n };
    throw error;
  });
  return numAffectedRows > 0n ? { id, depth, at: timestamp } : null;
}

/** What is null is left out, as every column here may be: half of the values that the database would read anew each time. */
function named(table: string, row: object): Values {
  const said = Object.entries(row).filter(([, value]) => value !== null);
  return Object.fromEntries(said.map(([column, value]) => [`${table}.${column}`, value]));
}

const addBoth = prepared((db, values: Values) =>
  db
    .with('moved', (part) => moveHead(part, values))
    .with('said', (part) => {
      const { columns, row } = partOf<MessageTable>(values, 'messages');
      return part.insertInto('messages').columns(columns).expression(row);
    })
    .insertInto('turns')
    .columns(partOf<TurnTable>(values, 'turns').columns)
    .expression(partOf<TurnTable>(values, 'turns').row),
);

/** The row of the session is locked by it: of two, the second finds another head. */
function moveHead(db: QueryCreator<Database>, values: Values) {
  const { sessionId, seenAt, timestamp, depth, id, from, preview } = values;
  return db
    .updateTable('session_rows')
    .set({
      head_id: sql`${id}`,
      head_depth: sql`${depth}`,
      updated_at: sql`${timestamp}`,
      ...(preview !== undefined && { preview: sql`coalesce(preview, ${preview})` }),
    })
    .where('id', '=', sql<string>`${sessionId}`)
    .where('hidden', 'is', null)
    .where('updated_at', '=', sql<string>`${seenAt}`)
    .where('head_id', from === undefined ? 'is' : '=', from === undefined ? null : sql<string>`${from}`)
    .where(
      sql<boolean>`not exists (select 1 from turns where session_id = ${sessionId} and finished_at is null)`,
    )
    .returning('id');
}

/** As many rows as were moved: one, or none. */
function partOf<Table>(values: Values, table: 'messages' | 'turns') {
  const given = Object.entries(values).filter(([name]) => name.startsWith(`${table}.`));
  const columns = given.map(([name]) => name.slice(table.length + 1)) as (keyof Insertable<Table> & string)[];
  const row = sql<never>`select ${sql.join(given.map(([, value]) => value))} from moved`;
  return { columns, row };
}
