import { expect, it } from 'vitest';
import { createTurnLines } from './turn-lines.ts';
import { TurnSeat } from './turn-seat.ts';

it('lets work in the background go on while its turn waits for a person, and others have its slot', async () => {
  let holds = 0;
  const background = {
    hold() {
      holds += 1;
      return {
        release: () => {
          holds -= 1;
        },
      };
    },
  };
  const lines = createTurnLines({ maxRunning: 1, maxQueued: 10 });
  const closing = new AbortController().signal;
  const place = lines.enter('a', 'a1');
  const seat = new TurnSeat({ place, hold: background.hold(), background, closing });
  expect([seat.isTaken, holds]).toEqual([true, 1]);
  seat.leave();
  const other = lines.enter('b', 'b1');
  expect([seat.isTaken, holds, other.isReady]).toEqual([false, 0, true]);
  const taken = seat.take();
  expect([seat.isTaken, seat.position, holds]).toEqual([false, 0, 1]);
  other.leave();
  await taken;
  expect(seat.isTaken).toBe(true);
  seat.release();
  seat.release();
  expect(holds).toBe(0);
});
