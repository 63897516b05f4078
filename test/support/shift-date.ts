// Preloaded into a server under test: moves what `Date` says by as many milliseconds as a file holds. Monotonic clocks
// go on as they are, as they do when the machine's clock is set or the machine was asleep.
import { readFileSync } from 'node:fs';

const RealDate = Date;

function shift(): number {
  try {
    return Number(readFileSync(process.env['TEST_DATE_SHIFT'] ?? '', 'utf8'));
  } catch {
    return 0;
  }
}

class ShiftedDate extends RealDate {
  constructor(...given: unknown[]) {
    // Without arguments it is now; with any, what it always was.
    super(...((given.length === 0 ? [ShiftedDate.now()] : given) as [number]));
  }

  static override now(): number {
    return RealDate.now() + shift();
  }
}

globalThis.Date = ShiftedDate as DateConstructor;
