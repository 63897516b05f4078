import { vi } from 'vitest';

/** What comes is waited for on a busy machine, too. @returns what the check returns when it throws no more */
export function eventually<T>(
  check: () => T | Promise<T>,
  { timeout = 10_000, interval = 10 } = {},
): Promise<T> {
  // oxlint-disable-next-line no-restricted-properties -- by itself it gives up after a second
  return vi.waitFor(check, { timeout, interval });
}
