// One clock for all processes of this machine.

const offset = Number(process.hrtime.bigint() / 1000n) - performance.now() * 1000;

/** Whole microseconds since some moment that is the same for every process. */
export function systemMicroseconds(): number {
  return Math.round(offset + performance.now() * 1000);
}
