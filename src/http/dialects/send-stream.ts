// What a turn tells, as a stream of a dialect. Its head waits for the answer to begin, so that what fails before has a
// true status.
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { ToldEvent } from '../../chat/watch/turn-log.ts';
import type { DisconnectPolicy } from '../../contract/chat.ts';
import type { Frame, ToldStream, TurnAnswer } from '../../dialects/dialect.ts';
import { toMochiError } from '../fold-answer.ts';
import { leftSignal, openStream, PING_INTERVAL_MS, taken } from '../open-stream.ts';
import { comment, STREAM_TYPES, toBytes } from './told-bytes.ts';
import { isContent, nameContext, nameTurn } from './turn-head.ts';

/** How long the head waits for the answer to begin. */
const HEAD_WAIT_MS = 10_000;

/**
 * Until the turn has ended, or the reader has left.
 * @throws MochiError what the turn failed with, where nothing was sent
 */
export async function sendStream(
  reply: FastifyReply,
  answer: TurnAnswer,
  told: ToldStream,
  onDisconnect: DisconnectPolicy,
): Promise<void> {
  const { turn } = answer;
  nameTurn(reply, answer);
  const left = leftSignal(reply);
  const connection = turn.hold(onDisconnect);
  const stream = new DialectStream(reply, told);
  try {
    for await (const batch of turn.watch(told.after ?? 0, left)) {
      const text = stream.read(batch);
      if (text !== '' && stream.raw?.write(text) === false) await taken(stream.raw, 'drain', left);
      if (left.aborted || told.writer.isOver) break;
    }
    const { raw } = stream;
    if (raw === null || left.aborted) return;
    raw.end();
    if (!raw.writableFinished) await taken(raw, 'finish', left);
  } finally {
    stream.close();
    if (stream.raw?.writableFinished) connection.end();
    else connection.release();
    // Nobody is left to be told.
    if (left.aborted && stream.raw === null) reply.hijack();
  }
}

/** Has a lifetime: that of one answer. */
class DialectStream {
  readonly #reply: FastifyReply;
  readonly #told: ToldStream;
  /** Of what was told before the head. */
  #waiting = '';
  #silence: NodeJS.Timeout | null = null;
  readonly #patience: NodeJS.Timeout;
  /** Null: the head waits. */
  raw: ServerResponse | null = null;

  constructor(reply: FastifyReply, told: ToldStream) {
    this.#reply = reply;
    this.#told = told;
    this.#patience = setTimeout(() => this.#open(), HEAD_WAIT_MS);
    if (told.isImmediate) this.#open();
  }

  /** @returns what is to be written; '' as well while the head waits. @throws MochiError the failure, while it does */
  read(batch: readonly ToldEvent[]): string {
    const frames: Frame[] = [];
    let hasBegun = false;
    for (const event of batch) {
      if (this.raw === null && event.event.event === 'error' && !hasBegun) {
        throw toMochiError(event.event.data);
      }
      if (this.raw === null && event.event.event === 'context') nameContext(this.#reply, event.event.data);
      hasBegun ||= isContent(event.event);
      frames.push(...this.#told.writer.write(event));
    }
    const text = toBytes(frames, this.#told.how);
    if (text !== '') this.#silence?.refresh();
    if (this.raw !== null) return text;
    this.#waiting += text;
    if (hasBegun) this.#open();
    return '';
  }

  close(): void {
    clearTimeout(this.#patience);
    if (this.#silence !== null) clearInterval(this.#silence);
  }

  #open(): void {
    clearTimeout(this.#patience);
    if (this.#reply.raw.destroyed) return;
    this.raw = openStream(this.#reply, STREAM_TYPES[this.#told.how]);
    if (this.#waiting !== '') this.raw.write(this.#waiting);
    this.#waiting = '';
    this.#silence = setInterval(() => this.#breakSilence(), PING_INTERVAL_MS);
  }

  #breakSilence(): void {
    const { how, writer } = this.#told;
    const frame = writer.silence?.() ?? null;
    const text = frame === null ? comment(how) : toBytes([frame], how);
    // Between the pieces of a long frame the socket is full: it would end up inside of it.
    if (text !== null && this.raw?.writableNeedDrain === false) this.raw.write(text);
  }
}
