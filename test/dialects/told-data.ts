import type { Frame } from '../../src/dialects/dialect.ts';

/** As a client reads it: what was written as JSON by hand is JSON. */
export function toldData({ data }: Frame): unknown {
  return typeof data === 'string' && data.startsWith('{') ? JSON.parse(data) : data;
}
