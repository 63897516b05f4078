// Full-text search: ranked hits in messages and titles, and the sessions that hold any.
import { setImmediate } from 'node:timers/promises';
import { type RawBuilder, sql } from 'kysely';
import type { SearchResult } from '../contract/search.ts';
import type { SessionKind } from '../contract/session.ts';
import type { Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import type { SearchStep } from './dialect/search-body.ts';
import { searchOf } from './dialect/search-of.ts';
import { FIRST_TITLE } from './search-index.ts';
import type { SearchQuery } from './search-query.ts';
import { toSnippet } from './search-snippet.ts';

/** The newest hits are ranked, so that a word that is everywhere costs no more than one that is often. */
const MAX_RANKED = 2000;
/** Hits whose sessions are listed. */
const MAX_LISTED = 5000;
/** A branch that is not shown comes after one that is, when both say the same. */
const INACTIVE_WEIGHT = 0.5;
/** How long snippets are cut before others get a turn, in milliseconds. */
const SLICE_MS = 10;

/** The last hit of a page: by what it is, or by its place when it is gone meanwhile. */
export interface HitPosition {
  readonly seq: number;
  readonly count: number;
}

export interface FoundPage {
  readonly results: readonly SearchResult[];
  /** Null at the end. */
  readonly next: HitPosition | null;
  /** Whether older hits were left out. */
  readonly isTruncated: boolean;
}

interface Hit {
  readonly seq: number;
  readonly rank: number;
}

interface FoundText {
  readonly seq: number;
  readonly session_id: string;
  readonly title: string | null;
  readonly message_id: string | null;
  readonly role: SearchResult['role'];
  readonly text: string;
  readonly active: number;
  readonly timestamp: string;
  /** Null in a session that comes or goes. */
  readonly kind: SessionKind | null;
}

/** Where is looked: the conversations of people, or those of agents as well. */
export interface SearchScope {
  readonly includesAgents: boolean;
  /** Those as well that nobody has gone on with by name. */
  readonly includesUnlisted?: boolean;
}

/** A page of hits, the best first, then the newest. What is written between two pages moves nothing to and fro. */
export async function search(
  db: Db,
  query: SearchQuery,
  page: SearchScope & { readonly limit: number; readonly after: HitPosition | null },
): Promise<FoundPage> {
  const isCaughtUp = await searchOf(db).catchUp(db);
  const ranked = await rankHits(db, query, page);
  const start = startOf(ranked.hits, page.after);
  const hits = ranked.hits.slice(start, start + page.limit);
  const rest = ranked.hits.length - start - hits.length;
  const texts = await readTexts(db, hits);
  const results: SearchResult[] = [];
  let startedAt = performance.now();
  for (const { seq, rank } of hits) {
    const found = texts.get(seq);
    if (found === undefined || found.kind === null) continue;
    if (performance.now() - startedAt > SLICE_MS) {
      await setImmediate();
      startedAt = performance.now();
    }
    const { session_id, title, message_id, role, text, active, timestamp, kind } = found;
    results.push({
      session_id,
      title,
      message_id,
      role,
      ...toSnippet(text, query),
      active: active === 1,
      rank,
      timestamp,
      ...(page.includesAgents && { kind }),
    });
  }
  const last = hits.at(-1);
  const count = (page.after?.count ?? 0) + hits.length;
  return {
    results,
    next: rest > 0 && last ? { seq: last.seq, count } : null,
    isTruncated: ranked.isTruncated || !isCaughtUp,
  };
}

/** By what the database makes of words and lengths: a title wins over a message that is no better. */
async function rankHits(
  db: Db,
  query: SearchQuery,
  scope: SearchScope,
): Promise<{ hits: Hit[]; isTruncated: boolean }> {
  const found: FoundHit[] = [];
  for await (const rows of walkHits(db, query, scope)) {
    found.push(...rows.filter(({ seen }) => seen === 1));
    if (found.length > MAX_RANKED) break;
  }
  const hits = found
    .slice(0, MAX_RANKED)
    .map(({ seq, rank, active }) => ({ seq, rank: active === 0 ? rank * INACTIVE_WEIGHT : rank }));
  hits.sort((one, other) => other.rank - one.rank || other.seq - one.seq);
  return { hits, isTruncated: found.length > MAX_RANKED };
}

interface FoundHit extends Hit {
  readonly active: number | null;
  /** 0 in a session that comes or goes, or that is not looked in. */
  readonly seen: number;
}

/** Others have a turn before more is looked for. */
async function* walkHits(
  db: Db,
  query: SearchQuery,
  scope: SearchScope,
): AsyncGenerator<readonly FoundHit[], void> {
  const body = searchOf(db);
  const limit = MAX_RANKED + 1;
  for (let below: number | null = Number.MAX_SAFE_INTEGER; below !== null; ) {
    const from: number = await body.stepFrom(db, query, { below, limit });
    const { rows }: { rows: FoundHit[] } = await sql<FoundHit>`
      select seq, rank, active, ${isSeen(scope)} as seen
      from ${body.ranked(query, { below, limit, from })} as found
      order by seq desc
    `.execute(db);
    yield rows;
    below = nextBelow({ from, isEnd: rows.length < limit, lowest: rows.at(-1)?.seq });
    await setImmediate();
  }
}

/** Null at the end of the walk. */
function nextBelow(step: { from: number; isEnd: boolean; lowest: number | undefined }): number | null {
  if (!step.isEnd) return step.lowest ?? null;
  return step.from === 0 ? null : step.from;
}

/** Of a hit. */
function isSeen(scope: SearchScope): RawBuilder<number> {
  return sql<number>`case when exists (
    select 1 from sessions where id = found.session_id and ${isInScope(scope)}
  ) then 1 else 0 end`;
}

/** Of a session. */
function isInScope({ includesAgents, includesUnlisted = false }: SearchScope): RawBuilder<boolean> {
  return sql<boolean>`(kind = 'chat' or ${sql.lit(includesAgents)}) and (listed = 1 or ${sql.lit(includesUnlisted)})`;
}

function startOf(hits: readonly Hit[], after: HitPosition | null): number {
  if (after === null) return 0;
  const index = hits.findIndex(({ seq }) => seq === after.seq);
  return index === -1 ? after.count : index + 1;
}

/** `left join`, so that sessions are looked up by messages, whatever the planner knows of their numbers. */
async function readTexts(db: Db, hits: readonly Hit[]): Promise<Map<number, FoundText>> {
  const { isAmong } = dialectOf(db);
  const ofMessages = hits.filter(({ seq }) => seq < FIRST_TITLE).map(({ seq }) => seq);
  const ofTitles = hits.filter(({ seq }) => seq >= FIRST_TITLE).map(({ seq }) => seq - FIRST_TITLE);
  const { rows } = await sql<FoundText>`
    select messages.seq, session_id, title, messages.id as message_id, role, content as text, active, timestamp, kind
    from messages
    left join sessions on sessions.id = messages.session_id
    where ${isAmong('messages.seq', ofMessages)}
    union all
    select search_titles.seq + ${sql.lit(FIRST_TITLE)}, session_id, title, null, null, title, 1, updated_at, kind
    from search_titles
    left join sessions on sessions.id = search_titles.session_id
    where ${isAmong('search_titles.seq', ofTitles)}
  `.execute(db);
  return new Map(rows.map((row) => [row.seq, row]));
}

export interface FoundSessions {
  readonly ids: readonly string[];
  /** Whether older hits were left out. */
  readonly isTruncated: boolean;
}

/** The sessions whose title or messages hold what is looked for, in no order. */
export async function findSessions(db: Db, query: SearchQuery, scope: SearchScope): Promise<FoundSessions> {
  const isCaughtUp = await searchOf(db).catchUp(db);
  const ids = new Set<string>();
  let hits = 0;
  let below: number | null = Number.MAX_SAFE_INTEGER;
  while (below !== null && hits <= MAX_LISTED) {
    const limit: number = MAX_LISTED + 1 - hits;
    const from: number = await searchOf(db).stepFrom(db, query, { below, limit });
    const rows: readonly HitsOfSession[] = await countHits(db, { ...scope, query, below, limit, from });
    for (const row of rows) {
      if (row.seen === 0) continue;
      ids.add(row.session_id);
      hits += row.hits;
    }
    const isEnd = rows.reduce((total, row) => total + row.hits, 0) < limit;
    below = nextBelow({ from, isEnd, lowest: Math.min(...rows.map(({ lowest }) => lowest)) });
    await setImmediate();
  }
  return { ids: [...ids], isTruncated: hits > MAX_LISTED || !isCaughtUp };
}

interface HitsOfSession {
  readonly session_id: string;
  readonly hits: number;
  /** Of the hits. */
  readonly lowest: number;
  /** 0 when the session comes or goes, or is not looked in. */
  readonly seen: number;
}

async function countHits(
  db: Db,
  step: SearchScope & { readonly query: SearchQuery } & SearchStep,
): Promise<HitsOfSession[]> {
  const { rows } = await sql<HitsOfSession>`
    select session_id, hits, lowest, ${isSeen(step)} as seen
    from (
      select session_id, count(*) as hits, min(seq) as lowest
      from ${searchOf(db).found(step.query, step)} as hit
      group by session_id
    ) as found
  `.execute(db);
  return rows;
}
