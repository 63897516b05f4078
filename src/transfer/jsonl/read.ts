// Lines of JSON → sessions as rows. A damaged line makes its session unreadable, and is named.
import { setImmediate } from 'node:timers/promises';
import { jsonFault } from '../../kit/json-fault.ts';
import type { NumberedLine } from '../../kit/split-lines.ts';
import { atOnce } from '../../kit/stretches.ts';
import type { SessionRows } from '../../store/session-rows.ts';
import { checkLine, lineTypeOf } from './check-line.ts';
import type { Line } from './columns.ts';
import { LineError, SessionBuilder } from './session-builder.ts';

/** A session of the lines, or why there is none. */
export type ReadSession =
  | { readonly type: 'session'; readonly rows: SessionRows }
  | { readonly type: 'damaged'; readonly sourceId: string | null; readonly reason: string };

/** Of the lines of one session, which is held in memory. 512 MiB. */
const MAX_SESSION_BYTES = 512 * 1024 * 1024;

/** Lines are looked at in stretches of about this length, so that nothing else waits long. Bytes. */
const STRETCH = 64 * 1024;

/** One session in memory at a time. Never throws for what the lines hold. */
export async function* readJsonl(
  lines: AsyncIterable<NumberedLine>,
  maxSessionBytes = MAX_SESSION_BYTES,
): AsyncGenerator<ReadSession, void> {
  let builder: SessionBuilder | null = null;
  /** After damage: the lines up to the next session belong to nobody. */
  let isSkipping = false;
  let stretch = 0;
  let held = 0;
  for await (const { number, bytes } of lines) {
    stretch += bytes?.length ?? 0;
    if (stretch > STRETCH) {
      stretch = 0;
      await setImmediate();
    }
    try {
      const line = parseLine(bytes);
      if (line === null) continue;
      const type = lineTypeOf(line);
      held = (bytes?.length ?? 0) + (type === 'session' ? 0 : held);
      if (builder !== null && held > maxSessionBytes) throw new LineError('makes the session too large');
      if (type === 'session') {
        if (builder !== null) yield finish(builder);
        builder = null;
        isSkipping = false;
        builder = new SessionBuilder(checkLine('session', line));
      } else if (builder !== null) {
        builder.add(type, checkLine(type, line));
      } else if (!isSkipping) {
        throw new LineError('comes before any session line');
      }
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      if (!isSkipping) {
        const sourceId = builder?.sourceId ?? error.sourceId;
        yield { type: 'damaged', sourceId, reason: `line ${number}: ${error.message}` };
      }
      builder = null;
      isSkipping = true;
    }
  }
  if (builder !== null) yield finish(builder);
}

function finish(builder: SessionBuilder): ReadSession {
  try {
    return { type: 'session', rows: builder.finish() };
  } catch (error) {
    if (!(error instanceof LineError)) throw error;
    return { type: 'damaged', sourceId: builder.sourceId, reason: error.message };
  }
}

/** SQLite's JSON functions stop at 1000 levels; what an export holds is nested less. */
const MAX_DEPTH = 900;

/** @returns null for a blank line. @throws LineError */
function parseLine(bytes: Buffer | null): Line | null {
  if (bytes === null) throw new LineError('is too long');
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new LineError('is not UTF-8');
  }
  if (!/\S/.test(text)) return null;
  try {
    value = JSON.parse(text);
  } catch {
    throw new LineError('is not JSON');
  }
  const fault = atOnce(jsonFault(value, { maxDepth: MAX_DEPTH }));
  if (fault !== null) throw new LineError(fault);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new LineError('is no JSON object');
  }
  return { ...value };
}
