import { describe, expect, it } from 'vitest';
import type { Place, TurnLines } from './place.ts';
import { createTurnLines } from './turn-lines.ts';

const unlimited = { maxRunning: 100, maxQueued: 100 };

/** Places by turn id, entered in this order: `a1` is the first turn of session `a`. */
function enterAll(lines: TurnLines, turnIds: readonly string[]): Map<string, Place> {
  return new Map(turnIds.map((turnId) => [turnId, lines.enter(turnId.charAt(0), turnId)]));
}

/** Who may run, in the order of the map. */
const ready = (places: ReadonlyMap<string, Place>) =>
  [...places].filter(([, place]) => place.isReady).map(([turnId]) => turnId);

function leave(places: Map<string, Place>, turnId: string): void {
  places.get(turnId)?.leave();
  places.delete(turnId);
}

describe('slots', () => {
  it('go round the sessions: a busy one cannot starve the others', () => {
    const lines = createTurnLines({ maxRunning: 1, maxQueued: 100 });
    const places = enterAll(lines, ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']);
    const order: string[] = [];
    while (places.size > 0) {
      const [turnId = 'nobody', ...others] = ready(places);
      expect(others).toEqual([]);
      order.push(turnId);
      leave(places, turnId);
    }
    expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
  });

  it('are passed on in the order in which the sessions began to wait', () => {
    const places = enterAll(createTurnLines({ maxRunning: 2, maxQueued: 100 }), ['a1', 'b1', 'c1', 'd1']);
    expect(ready(places)).toEqual(['a1', 'b1']);
    leave(places, 'b1');
    expect(ready(places)).toEqual(['a1', 'c1']);
    leave(places, 'a1');
    expect(ready(places)).toEqual(['c1', 'd1']);
  });

  it('are not held by a turn that left before it ran', () => {
    const places = enterAll(createTurnLines({ maxRunning: 1, maxQueued: 100 }), ['a1', 'b1', 'c1']);
    leave(places, 'b1');
    leave(places, 'a1');
    expect(ready(places)).toEqual(['c1']);
  });

  it('that are free serve a new session even when the queue is full', () => {
    const lines = createTurnLines({ maxRunning: 2, maxQueued: 1 });
    enterAll(lines, ['a1', 'a2']);
    expect(lines.enter('b', 'b1').isReady).toBe(true);
    expect(() => lines.enter('b', 'b2')).toThrow(expect.objectContaining({ kind: 'overloaded' }));
    expect(lines.turnsOf('b')).toEqual(['b1']);
  });
});

describe('a place in line', () => {
  it('resolves when its turn has come, not before', async () => {
    const places = enterAll(createTurnLines(unlimited), ['a1', 'a2']);
    let isIn = false;
    const entered = (async () => {
      await places.get('a2')?.ready;
      isIn = true;
    })();
    await places.get('a1')?.ready;
    expect(isIn).toBe(false);
    leave(places, 'a1');
    await entered;
    expect(isIn).toBe(true);
  });

  it('is told when fewer are ahead, also when somebody leaves from the middle', () => {
    const lines = createTurnLines(unlimited);
    const moves: string[] = [];
    const places = new Map(
      ['a1', 'a2', 'a3', 'a4'].map((turnId) => [
        turnId,
        lines.enter('a', turnId, { onMove: (position) => moves.push(`${turnId} is at ${position}`) }),
      ]),
    );
    leave(places, 'a2');
    expect(moves).toEqual(['a3 is at 1', 'a4 is at 2']);
    expect(ready(places)).toEqual(['a1']);
    leave(places, 'a1');
    expect(ready(places)).toEqual(['a3']);
    expect(lines.turnsOf('a')).toEqual(['a3', 'a4']);
  });

  it('at the front is the next after the turn that runs, before all that wait', () => {
    const lines = createTurnLines(unlimited);
    const places = enterAll(lines, ['a1', 'a2', 'a3']);
    places.set('a4', lines.enter('a', 'a4', { atFront: true }));
    expect(places.get('a4')?.position).toBe(1);
    expect(lines.turnsOf('a')).toEqual(['a1', 'a4', 'a2', 'a3']);
    leave(places, 'a1');
    expect(ready(places)).toEqual(['a4']);
    expect(lines.enter('b', 'b1', { atFront: true }).isReady).toBe(true);
  });

  it('at the front of a full line takes the place of the turn that it ends, and only that one', () => {
    const lines = createTurnLines(unlimited);
    const places = enterAll(lines, ['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8', 'a9']);
    expect(() => lines.enter('a', 'more')).toThrow(expect.objectContaining({ kind: 'session_busy' }));
    places.set('b', lines.enter('a', 'b', { atFront: true }));
    expect(() => lines.enter('a', 'c', { atFront: true })).toThrow(
      expect.objectContaining({ kind: 'session_busy', details: { session_id: 'a', turn_id: 'a1' } }),
    );
    leave(places, 'a1');
    expect(ready(places)).toEqual(['b']);
    expect(() => lines.enter('a', 'more')).toThrow(expect.objectContaining({ kind: 'session_busy' }));
    expect(lines.enter('a', 'c', { atFront: true }).position).toBe(1);
  });

  it('hears of every change once: of who goes before it, and of who is gone', () => {
    const lines = createTurnLines(unlimited);
    const moves: number[] = [];
    const holder = lines.enter('a', 'a1');
    const place = lines.enter('a', 'a2', { onMove: (position) => moves.push(position) });
    lines.enter('a', 'a3');
    const urgent = lines.enter('a', 'a4', { atFront: true });
    expect([moves, place.position]).toEqual([[2], 2]);
    holder.leave();
    urgent.leave();
    expect([moves, place.isReady]).toEqual([[2, 1], true]);
  });

  it('hears how many sessions are before it when it waits for a slot', () => {
    const lines = createTurnLines({ maxRunning: 1, maxQueued: 100 });
    const moves = new Map<string, number[]>();
    const names = Array.from({ length: 20 }, (_, index) => `s${index}`);
    const places = names.map((name) => {
      const told: number[] = [];
      moves.set(name, told);
      return lines.enter(name, name, { onMove: (position) => told.push(position) });
    });
    expect(places.map(({ position }) => position)).toEqual([0, ...names.slice(1).keys()]);
    for (const place of places.slice(0, 4)) place.leave();
    expect([moves.get('s1'), moves.get('s4'), moves.get('s6')]).toEqual([[], [2, 1, 0], [4, 3, 2, 1]]);
    // Far behind it is told when it comes near: one departure does not write to everybody who waits.
    expect(moves.get('s19')).toEqual([15, 14]);
    expect(places[19]?.position).toBe(14);
  });
});
