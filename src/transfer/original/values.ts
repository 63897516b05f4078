// Reading values that somebody else wrote: what fits is taken, what does not is kept, never dropped.
import { ID_PATTERN } from '../../contract/schema.ts';

/** Why a file is not a session of the original; the message is for people. */
export class OriginalFormatError extends Error {
  override readonly name = 'OriginalFormatError';
}

export type JsonObject = Record<string, unknown>;

/** SQLite's JSON functions stop at 1000 levels and `JSON.stringify` at some thousands: what we keep must stay storable. */
const DEEPEST_NESTING = 500;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The original's ways to say nothing: the key is absent, null, or holds its `str = ""` default. */
export function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

export function hasKeys(object: JsonObject): boolean {
  return Object.keys(object).length > 0;
}

/** For messages: `missing`, `null`, `an array`, `a number` … */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/**
 * Takes one value. Nothing gives null; so does a value that `accept` refuses, which then stays in `extra`.
 *
 * @param accept returns null for what it cannot use
 */
export function take<T>(
  extra: JsonObject,
  key: string,
  value: unknown,
  accept: (value: unknown) => T | null,
): T | null {
  if (isNothing(value)) return null;
  const taken = accept(value);
  if (taken === null) extra[key] = value;
  return taken;
}

/** Takes a list of names; when some are not text, the rest is used and the whole list stays in `extra`. */
export function takeNames(extra: JsonObject, key: string, value: unknown): string[] {
  const names = take(extra, key, value, asList) ?? [];
  const usable = names.filter((name) => typeof name === 'string');
  if (usable.length < names.length) extra[key] = names;
  return usable;
}

/** Takes an object apart; what `read` leaves over stays in `extra` under the same key, shaped as in the file. */
export function takeSection<T>(
  extra: JsonObject,
  key: string,
  value: unknown,
  read: (section: JsonObject) => { result: T; leftover: JsonObject },
): T {
  const section = take(extra, key, value, asObject) ?? {};
  const { result, leftover } = read(section);
  if (hasKeys(leftover)) extra[key] = leftover;
  return result;
}

export function asText(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

export function asId(value: unknown): string | null {
  return typeof value === 'string' && ID_PATTERN.test(value) ? value : null;
}

export function asBoolean(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null;
}

export function asCount(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

export function asObject(value: unknown): JsonObject | null {
  return isJsonObject(value) ? value : null;
}

export function asList(value: unknown): readonly unknown[] | null {
  return Array.isArray(value) ? value : null;
}

/** @throws OriginalFormatError when `value`, which we would store as it is, is nested too deeply */
export function refuseDeepNesting(value: unknown, place: string): void {
  if (isDeeperThan(DEEPEST_NESTING, value)) throw new OriginalFormatError(`${place} is nested too deeply`);
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((child) => isDeeperThan(levels - 1, child));
}
