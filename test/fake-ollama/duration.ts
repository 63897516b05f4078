// Go's durations, as `keep_alive` takes them.
import { Refusal } from './refusal.ts';

const unitMs: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** `keep_alive` in ms; Infinity for a negative one. Numbers are seconds, strings need a unit ("300" has none). */
export function keepAliveMs(value: unknown): number {
  const ms = typeof value === 'number' ? value * 1000 : parseDuration(String(value));
  return ms < 0 ? Number.POSITIVE_INFINITY : ms;
}

function parseDuration(text: string): number {
  const [, sign, rest = ''] = /^([-+]?)(.*)$/.exec(text) ?? [];
  if (rest === '0') return 0;
  if (/\d$/.test(rest)) throw new Refusal(400, `time: missing unit in duration ${JSON.stringify(text)}`);
  if (!/^((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))+$/.test(rest)) {
    throw new Refusal(400, `time: invalid duration ${JSON.stringify(text)}`);
  }
  let total = 0;
  for (const [, amount, unit = ''] of rest.matchAll(/([\d.]+)([a-zµ]+)/g)) {
    total += Number(amount) * (unitMs[unit] ?? 0);
  }
  return sign === '-' ? -total : total;
}
