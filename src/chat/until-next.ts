// Where several servers share a database, a turn that has come to its place here may still be behind those of others: it
// stands aside until these have gone.
import { setTimeout } from 'node:timers/promises';
import type { Bell } from '../kit/bell.ts';
import type { Db } from '../store/database.ts';
import { readBefore } from '../store/shared-line.ts';
import type { Place } from './line/place.ts';

/** How often it is looked whether they have gone where nobody says so. */
const LOOK_MS = 2000;

interface Lined {
  readonly db: Db;
  /** Rung when a line may have moved. */
  readonly lineBell: Bell;
}

/**
 * For one that stands aside: until nobody is before it any more. Ends when it is to stop, too.
 * @param tell its place among all, each time when that is another one
 */
export async function untilNext(
  { db, lineBell }: Lined,
  turn: { readonly sessionId: string; readonly turnId: string },
  {
    place,
    signal,
    tell,
  }: { readonly place: Place; readonly signal: AbortSignal; readonly tell: (position: number) => void },
): Promise<void> {
  let told = place.position;
  while (place.isAside && !signal.aborted) {
    // Before it is looked: nothing is missed.
    const { rung } = lineBell;
    const { before } = await readBefore(db, turn);
    if (before === 0) return place.stepIn();
    if (before !== told) tell(before);
    told = before;
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    await Promise.race([rung, setTimeout(LOOK_MS, undefined, { signal: either }).catch(() => undefined)]);
    over.abort();
  }
}
