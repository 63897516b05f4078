// How many calls all servers on one database have with an engine together: as many rows as there are calls, so that
// nothing is counted that a dead server could leave wrong.
import { sql } from 'kysely';
import type { Db } from './database.ts';

/** The channel on which servers tell each other that a slot is free, or wanted. */
export const SLOT_CHANNEL = 'mochi_slots';

/** Who waits looks so often, whatever it was told; who has not looked for three times as long waits no more. */
export const SLOT_LOOK_MS = 2000;
const GONE_MS = 3 * SLOT_LOOK_MS;

/** What is told on the channel. */
export interface SlotNews {
  readonly line: string;
  /** Somebody waits: who has a spare slot gives it up. Else one is free. */
  readonly isWanted: boolean;
}

/** The slots of one engine and what it loads, as one server asks for them. */
export interface SlotLine {
  readonly db: Db;
  /** Names the engine and what it loads: the same text for every server that means the same. */
  readonly line: string;
  readonly owner: string;
  /** How many there are. */
  readonly limit: number;
}

const ago = (milliseconds: number) => sql`now() - ${milliseconds} * interval '1 millisecond'`;

interface Wish {
  /** How many. */
  readonly count: number;
  /** How long the first of them has waited; null: it has just come, and is behind all who wait. Milliseconds. */
  readonly waitedMs: number | null;
}

/** Those that were got, behind all who have waited longer. Whoever gets one waits no more. */
export async function takeSlots(of: SlotLine, { count, waitedMs }: Wish): Promise<number[]> {
  const isBefore = waitedMs === null ? sql`true` : sql`since < ${ago(waitedMs)}`;
  for (;;) {
    const found = await insertFree(of, { isBefore, count, isSpare: false });
    // Two may choose the same one; the other one has it then.
    if (found.slots.length > 0 || found.open === 0) return found.slots;
  }
}

/** One that nobody waits for; null: there is none. */
export async function takeSpareSlot(of: SlotLine): Promise<number | null> {
  const { slots } = await insertFree(of, { isBefore: sql`true`, count: 1, isSpare: true });
  return slots[0] ?? null;
}

interface Choice {
  /** Of those who wait, who is served before. */
  readonly isBefore: ReturnType<typeof sql>;
  readonly count: number;
  readonly isSpare: boolean;
}

async function insertFree(of: SlotLine, { isBefore, count, isSpare }: Choice) {
  const { db, line, owner, limit } = of;
  const { rows } = await sql<{ open: number; slots: number[] | null }>`
    with held as (
      select slot from engine_slots where line = ${line}
    ), waiting as (
      select count(*) as before from engine_waiters
      where line = ${line} and owner <> ${owner} and seen_at > ${ago(GONE_MS)} and ${isBefore}
    ), enough as (
      -- Among so many there are as many free ones as anybody wants.
      select least(${limit}::bigint, (select count(*) from held) + before + ${count}::bigint) as slots from waiting
    ), free as (
      select slot, row_number() over (order by slot) as place
      from enough, generate_series(1, enough.slots) as slot
      where not exists (select 1 from held where held.slot = slot.slot)
    ), open as (
      select slot from free, waiting
      -- Some are had beyond them.
      where place > before and place <= ${limit} - (select count(*) from held)
      order by slot limit ${count}
    ), taken as (
      insert into engine_slots (line, slot, owner, is_spare)
      select ${line}, slot, ${owner}, ${isSpare} from open order by slot
      on conflict do nothing returning slot
    ), served as (
      delete from engine_waiters where line = ${line} and owner = ${owner} and exists (select 1 from taken)
    )
    select (select count(*) from open) as open, (select array_agg(slot) from taken) as slots`.execute(db);
  const [{ open, slots } = { open: 0, slots: null }] = rows;
  return { open, slots: (slots ?? []).map(Number) };
}

/** It waits from now on, and says so again at each look: whoever has a spare slot is told. */
export async function waitForSlot({ db, line, owner }: SlotLine, waitedMs: number): Promise<void> {
  await sql`
    with waiting as (
      insert into engine_waiters (line, owner, since, seen_at) values (${line}, ${owner}, ${ago(waitedMs)}, now())
      on conflict (line, owner) do update set since = excluded.since, seen_at = excluded.seen_at
    )
    select pg_notify(${SLOT_CHANNEL}, ${news({ line, isWanted: true })})
    where exists (select 1 from engine_slots where line = ${line} and is_spare)`.execute(db);
}

/** Others who wait are told. */
export async function stopWaitingForSlot(of: SlotLine): Promise<void> {
  const { line, owner } = of;
  await tellWaiting(of, sql`delete from engine_waiters where line = ${line} and owner = ${owner}`);
}

/** Others who wait are told. */
export async function leaveSlots(of: SlotLine, slots: readonly number[]): Promise<void> {
  const { line, owner } = of;
  await tellWaiting(
    of,
    sql`delete from engine_slots where line = ${line} and owner = ${owner} and slot = any(${slots})`,
  );
}

async function tellWaiting({ db, line, owner }: SlotLine, change: ReturnType<typeof sql>): Promise<void> {
  await sql`
    with changed as (${change})
    select pg_notify(${SLOT_CHANNEL}, ${news({ line, isWanted: false })})
    where exists (select 1 from engine_waiters where line = ${line} and owner <> ${owner})`.execute(db);
}

/**
 * These are what it has, whatever the database knows: it may have forgotten some, or have given some without an answer.
 * @returns others in the place of those that are another server's by now: beyond all that there are, so that fewer are free
 */
export async function keepSlots(
  { db, line, owner, limit }: SlotLine,
  slots: readonly number[],
  isSpare: boolean,
): Promise<ReadonlyMap<number, number>> {
  const insert = (transaction: Db, numbers: readonly number[]) =>
    sql`
      insert into engine_slots (line, slot, owner, is_spare)
      select ${line}, slot, ${owner}, ${isSpare} from unnest(${numbers}::bigint[]) as slot
      on conflict do nothing`.execute(transaction);
  return db.transaction().execute(async (transaction) => {
    await sql`
      delete from engine_slots where line = ${line} and owner = ${owner} and is_spare = ${isSpare}
        and slot <> all(${slots}::bigint[])`.execute(transaction);
    await insert(transaction, slots);
    for (;;) {
      const { rows } = await sql<{ slot: number; is_own: boolean }>`
        select slot, owner = ${owner} and is_spare = ${isSpare} as is_own from engine_slots
        where line = ${line}`.execute(transaction);
      const own = rows.filter((row) => row.is_own).map(({ slot }) => slot);
      const lost = slots.filter((slot) => !own.includes(slot));
      const moved = own.filter((slot) => !slots.includes(slot));
      if (moved.length === lost.length)
        return new Map(lost.map((slot, index) => [slot, moved[index] ?? slot]));
      const last = Math.max(limit, ...rows.map(({ slot }) => slot));
      // Another server may choose the same at this moment.
      await insert(
        transaction,
        lost.slice(moved.length).map((_, index) => last + 1 + index),
      );
    }
  });
}

function news(told: SlotNews): string {
  return JSON.stringify(told);
}

/** Null: another version says it in another way. */
export function readSlotNews(payload: string): SlotNews | null {
  try {
    const { line, isWanted } = Object(JSON.parse(payload)) as Partial<SlotNews>;
    return typeof line === 'string' && typeof isWanted === 'boolean' ? { line, isWanted } : null;
  } catch {
    return null;
  }
}
