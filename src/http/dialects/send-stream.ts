// What a turn tells, as a stream of a dialect. Its head waits for the answer to begin, so that what fails before has a
// true status.
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { ToldEvent } from '../../chat/watch/turn-log.ts';
import type { DisconnectPolicy } from '../../contract/chat.ts';
import type { ToldStream, TurnAnswer } from '../../dialects/dialect.ts';
import { toMochiError } from '../fold-answer.ts';
import { PIECE_LENGTH, slicesOf } from '../frames.ts';
import { leftSignal, openStream, PING_INTERVAL_MS, taken } from '../open-stream.ts';
import { comment, STREAM_TYPES, toText } from './told-bytes.ts';
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
      for (const piece of stream.read(batch)) {
        if (stream.raw?.write(piece) === false) await taken(stream.raw, 'drain', left);
        if (left.aborted) break;
      }
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
  /** Frames that are to be written, once there is a head. */
  #waiting = '';
  /** The answer is known to come. */
  #hasBegun = false;
  #silence: NodeJS.Timeout | null = null;
  readonly #patience: NodeJS.Timeout;
  /** Null: the head waits. */
  raw: ServerResponse | null = null;

  constructor(reply: FastifyReply, told: ToldStream) {
    this.#reply = reply;
    this.#told = told;
    this.#patience = setTimeout(() => {
      this.#open();
      for (const piece of this.#takeWaiting()) this.raw?.write(piece);
    }, HEAD_WAIT_MS);
    if (told.isImmediate) this.#open();
  }

  /**
   * What is to be written, in pieces: frames are made when those before them were taken. Nothing while the head waits.
   * @throws MochiError the failure, while it does
   */
  *read(batch: readonly ToldEvent[]): Generator<string | Buffer, void> {
    const { how, writer } = this.#told;
    for (const event of batch) {
      if (this.raw === null && event.event.event === 'error' && !this.#hasBegun) {
        throw toMochiError(event.event.data);
      }
      if (this.raw === null && event.event.event === 'context') nameContext(this.#reply, event.event.data);
      this.#hasBegun ||= isContent(event.event);
      for (const frame of writer.write(event)) {
        this.#waiting += toText(frame, how);
        if (this.#waiting.length >= PIECE_LENGTH) yield* this.#takeWaiting();
      }
    }
    yield* this.#takeWaiting();
  }

  *#takeWaiting(): Generator<string | Buffer, void> {
    if (this.raw === null && this.#hasBegun) this.#open();
    if (this.raw === null || this.#waiting === '') return;
    const text = this.#waiting;
    this.#waiting = '';
    this.#silence?.refresh();
    if (text.length < 2 * PIECE_LENGTH) yield text;
    else yield* slicesOf(Buffer.from(text));
  }

  close(): void {
    clearTimeout(this.#patience);
    if (this.#silence !== null) clearInterval(this.#silence);
  }

  #open(): void {
    clearTimeout(this.#patience);
    if (this.#reply.raw.destroyed) return;
    this.raw = openStream(this.#reply, STREAM_TYPES[this.#told.how]);
    this.#silence = setInterval(() => this.#breakSilence(), PING_INTERVAL_MS);
  }

  #breakSilence(): void {
    const { how, writer } = this.#told;
    const frame = writer.silence?.() ?? null;
    const text = frame === null ? comment(how) : toText(frame, how);
    // Between the pieces of a long frame the socket is full: it would end up inside of it.
    if (text !== null && this.raw?.writableNeedDrain === false) this.raw.write(text);
  }
}
