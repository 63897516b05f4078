// JSON columns back into values.
import { MochiError } from '../contract/errors.ts';

/** @throws MochiError session_load_error when the text was damaged since */
export function parseStored(text: string): ReturnType<typeof JSON.parse> {
  try {
    return JSON.parse(text);
  } catch {
    throw new MochiError(
      'session_load_error',
      'What is stored is damaged and cannot be read. Check the disk; a backup may have it.',
      { reason: 'damaged_json' },
    );
  }
}

/** Longer ones are nobody else's. */
const MAX_SHARED_LENGTH = 200;
const MAX_SHARED = 1000;
const shared = new Map<string, unknown>();

/**
 * The same object for all that have the same text, as most sessions have the same settings: nobody can change it.
 * @throws MochiError as `parseStored`
 */
export function parseShared(text: string): ReturnType<typeof JSON.parse> {
  const known = shared.get(text);
  if (known !== undefined) return known;
  const value: unknown = parseStored(text);
  if (text.length > MAX_SHARED_LENGTH) return value;
  if (shared.size >= MAX_SHARED) shared.clear();
  shared.set(text, frozen(value));
  return value;
}

function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}
