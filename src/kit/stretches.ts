// Long work in stretches: a generator says where it may rest, and whoever runs it gives others a turn there.
import { setImmediate } from 'node:timers/promises';

/** Yields where it may rest, every few milliseconds; returns what came of it. */
export type Stretches<T> = Generator<void, T, void>;

/** Everybody else has a turn after each stretch. */
export async function inStretches<T>(work: Stretches<T>): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    await setImmediate();
  }
}

/** Without any rest: for what is short, or where nobody else waits. */
export function atOnce<T>(work: Stretches<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}
