// Events → SSE bytes. What waits together goes out in one write, what is long in pieces.
import { jsonLine } from '../kit/json-line.ts';

/** An event with its number in its stream; null: it is about the connection alone. */
export interface SentEvent {
  readonly id: number | null;
  readonly event: { readonly event: string; readonly data: unknown };
}

/** What a reader that stops reading holds of the server, about: as much as Node lets wait before it asks to stop. */
export const PIECE_LENGTH = 64 * 1024;

/** @param isShared whether others are sent the same events: their frames are made once then */
export function* toPieces(batch: readonly SentEvent[], isShared: boolean): Generator<string | Buffer, void> {
  let gathered = '';
  for (const numbered of batch) {
    const frame = longFrames.get(numbered)?.deref() ?? frameOf(numbered, isShared);
    if (typeof frame === 'string') gathered += frame;
    const isLong = typeof frame !== 'string';
    if (gathered !== '' && (isLong || gathered.length >= PIECE_LENGTH)) {
      yield gathered;
      gathered = '';
    }
    if (isLong) yield* slicesOf(frame);
  }
  if (gathered !== '') yield gathered;
}

/** As pieces. */
export function* slicesOf(frame: Buffer): Generator<Buffer, void> {
  for (let at = 0; at < frame.length; at += PIECE_LENGTH) yield frame.subarray(at, at + PIECE_LENGTH);
}

/** Short frames of turns with several watchers: kept as long as their events are. */
const shortFrames = new WeakMap<SentEvent, string>();
/** Snapshots and whole answers: megabytes, kept while somebody is being sent them, once for all of these. */
const longFrames = new WeakMap<SentEvent, WeakRef<Buffer>>();

function frameOf(numbered: SentEvent, isShared: boolean): string | Buffer {
  const known = isShared ? shortFrames.get(numbered) : undefined;
  if (known !== undefined) return known;
  const frame = toFrame(numbered);
  if (frame.length > PIECE_LENGTH) {
    const bytes = Buffer.from(frame);
    longFrames.set(numbered, new WeakRef(bytes));
    return bytes;
  }
  if (isShared) shortFrames.set(numbered, frame);
  return frame;
}

function toFrame({ id, event }: SentEvent): string {
  if (event.event !== 'content_delta' || id === null) return eventFrame(id, event.event, event.data);
  // By contract a text and a role that is always the same.
  const { content } = event.data as { readonly content: string };
  return pieceFrame(id, content);
}

/** What `eventFrame` makes of it, in half the time. */
function pieceFrame(id: number, content: string): string {
  return `id: ${id}\nevent: content_delta\ndata: {"content":${jsonLine(content)},"role":"assistant"}\n\n`;
}

/** LF line ends, one line of JSON: no event can break out of its frame. @param id null: it has none */
export function eventFrame(id: number | null, name: string, data: unknown): string {
  return `${id === null ? '' : `id: ${id}\n`}event: ${name}\ndata: ${jsonLine(data)}\n\n`;
}
