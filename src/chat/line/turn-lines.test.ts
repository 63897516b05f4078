import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MochiError } from '../../contract/errors.ts';
import type { Place } from './place.ts';
import { createTurnLines } from './turn-lines.ts';

const WIDE = { maxRunning: 1000, maxQueued: 1000 };

function kindOf(action: () => unknown): string | null {
  try {
    action();
    return null;
  } catch (error) {
    if (error instanceof MochiError) return error.kind;
    throw error;
  }
}

describe('createTurnLines', () => {
  it('lets one turn of a session run at a time, in the order of arrival', async () => {
    const lines = createTurnLines(WIDE);
    const [a, b, c] = ['a', 'b', 'c'].map((turn) => lines.enter('s', turn)) as [Place, Place, Place];
    expect([a.isReady, b.isReady, c.isReady]).toEqual([true, false, false]);
    expect([a.position, b.position, c.position]).toEqual([0, 1, 2]);
    expect(lines.turnsOf('s')).toEqual(['a', 'b', 'c']);
    a.leave();
    await b.ready;
    expect([b.isReady, c.isReady]).toEqual([true, false]);
    c.leave();
    b.leave();
    expect(lines.turnsOf('s')).toEqual([]);
    expect(lines.enter('s', 'd').isReady).toBe(true);
  });

  it('refuses the tenth turn of a session, and names the holder', () => {
    const lines = createTurnLines(WIDE);
    for (let turn = 0; turn < 9; turn += 1) lines.enter('s', `t${turn}`);
    expect(() => lines.enter('s', 'more')).toThrow(
      expect.objectContaining({ kind: 'session_busy', details: { session_id: 's', turn_id: 't0' } }),
    );
    expect(lines.enter('other', 'x').isReady).toBe(true);
  });

  it('refuses what waits beyond the limit, never what may run', () => {
    const lines = createTurnLines({ maxRunning: 2, maxQueued: 1 });
    const first = lines.enter('a', '1');
    lines.enter('b', '2');
    lines.enter('c', '3');
    expect(kindOf(() => lines.enter('d', '4'))).toBe('overloaded');
    first.leave();
    expect(kindOf(() => lines.enter('d', '4'))).toBeNull();
  });

  it('lets a change wait for the turns before it, and turns wait for a change', () => {
    const lines = createTurnLines({ maxRunning: 1, maxQueued: 10 });
    const turn = lines.enter('s', 't');
    const change = lines.enterChange('s');
    const later = lines.enter('s', 'u');
    expect([change.isReady, later.isReady]).toEqual([false, false]);
    turn.leave();
    expect([change.isReady, later.isReady]).toEqual([true, false]);
    // A change takes no slot.
    expect(lines.enter('other', 'x').isReady).toBe(true);
    change.leave();
    expect(later.isReady).toBe(false);
  });

  it('is left once: leaving again takes nobody else out', () => {
    const lines = createTurnLines({ maxRunning: 1, maxQueued: 10 });
    const a = lines.enter('s', 'a');
    const b = lines.enter('s', 'b');
    a.leave();
    a.leave();
    expect(b.isReady).toBe(true);
    expect(lines.enter('other', 'c').isReady).toBe(false);
  });

  it('holds its limits, keeps the order of each session, and lets everyone in at last', () => {
    const arrival = fc.record({
      type: fc.constant('enter' as const),
      session: fc.constantFrom('a', 'b', 'c', 'd'),
    });
    const departure = fc.record({ type: fc.constant('leave' as const), which: fc.nat() });
    const limits = fc.record({
      maxRunning: fc.integer({ min: 1, max: 4 }),
      maxQueued: fc.integer({ min: 1, max: 12 }),
    });
    fc.assert(
      fc.property(limits, fc.array(fc.oneof(arrival, departure), { maxLength: 60 }), (limit, actions) => {
        const lines = createTurnLines(limit);
        let present: { readonly session: string; readonly turn: string; readonly place: Place }[] = [];
        const check = () => {
          const running = present.filter(({ place }) => place.isReady);
          expect(running.length).toBeLessThanOrEqual(limit.maxRunning);
          expect(new Set(running.map(({ session }) => session)).size).toBe(running.length);
          for (const session of ['a', 'b', 'c', 'd']) {
            const own = present.filter((entry) => entry.session === session);
            expect(lines.turnsOf(session)).toEqual(own.map(({ turn }) => turn));
            expect(own.slice(1).some(({ place }) => place.isReady)).toBe(false);
          }
          // Nobody waits for a slot that is free.
          const sessions = new Set(present.map(({ session }) => session));
          expect(running.length).toBe(Math.min(limit.maxRunning, sessions.size));
        };
        for (const [index, action] of actions.entries()) {
          if (action.type === 'enter') {
            const turn = `t${index}`;
            const waiting = present.filter(({ place }) => !place.isReady).length;
            try {
              present.push({ session: action.session, turn, place: lines.enter(action.session, turn) });
              expect(waiting).toBeLessThanOrEqual(limit.maxQueued);
            } catch (error) {
              expect(error).toBeInstanceOf(MochiError);
            }
          } else if (present.length > 0) {
            const [gone] = present.splice(action.which % present.length, 1);
            gone?.place.leave();
          }
          check();
        }
        while (present.length > 0) {
          const ready = present.filter(({ place }) => place.isReady);
          expect(ready.length).toBeGreaterThan(0);
          present = present.filter(({ place }) => !place.isReady);
          for (const { place } of ready) place.leave();
        }
        expect(lines.enter('a', 'last').isReady).toBe(true);
      }),
    );
  });
});

describe('a turn that waits for a person', () => {
  it('gives its slot to others and keeps its session; back, it comes before those that have not begun', async () => {
    const lines = createTurnLines({ maxRunning: 1, maxQueued: 10 });
    const waiting = lines.enter('a', 'a1');
    const [b, c] = [lines.enter('b', 'b1'), lines.enter('c', 'c1')];
    const behind = lines.enter('a', 'a2');
    expect([b.isReady, c.position]).toEqual([false, 1]);
    waiting.pause();
    waiting.pause();
    expect([b.isReady, c.position, behind.position, behind.isForPerson]).toEqual([true, 0, 1, true]);
    expect([lines.isPaused('a'), lines.isPaused('b'), lines.turnsOf('a')]).toEqual([
      true,
      false,
      ['a1', 'a2'],
    ]);
    const back = waiting.resume();
    expect([waiting.isReady, waiting.position, c.position, behind.isForPerson]).toEqual([false, 0, 1, false]);
    b.leave();
    await back;
    expect([waiting.isReady, c.isReady]).toEqual([true, false]);
    waiting.leave();
    expect([c.isReady, behind.isReady, behind.position]).toEqual([true, false, 0]);
    c.leave();
    await behind.ready;
  });

  it('can leave while it waits, and while it waits for a slot again', () => {
    const lines = createTurnLines({ maxRunning: 1, maxQueued: 1 });
    const first = lines.enter('a', 'a1');
    first.pause();
    const second = lines.enter('b', 'b1');
    expect(second.isReady).toBe(true);
    void first.resume();
    first.leave();
    second.pause();
    second.leave();
    const third = lines.enter('c', 'c1');
    expect(third.isReady).toBe(true);
    // The only place of those that wait.
    expect(lines.enter('d', 'd1').isReady).toBe(false);
    expect(kindOf(() => lines.enter('e', 'e1'))).toBe('overloaded');
  });

  it('tells those behind it that it waits, and that it goes on', () => {
    const lines = createTurnLines(WIDE);
    const holder = lines.enter('a', 'a1');
    const told: unknown[] = [];
    lines.enter('a', 'a2', { onMove: (...wait) => told.push(wait) });
    holder.pause();
    void holder.resume();
    expect(told).toEqual([
      [1, true],
      [1, false],
    ]);
  });

  it('can come from an earlier run of the server, and holds its session from the start', async () => {
    const lines = createTurnLines({ maxRunning: 1, maxQueued: 10 });
    const old = lines.enterPaused('a', 'a1');
    const next = lines.enter('a', 'a2');
    expect([old.isReady, next.isReady, next.isForPerson]).toEqual([false, false, true]);
    await old.resume();
    old.leave();
    expect(next.isReady).toBe(true);
  });
});
