// What goes wrong, in one shape: said by the server, or met on the way to it.
import type { ErrorCode } from './wire.ts';

/**
 * Codes of the client's own: no answer came (`unreachable`), an answer stopped coming (`stalled`), what answered is no
 * mochi-server (`not_mochi`), a text that was read is not the beginning of what there is (`text_replaced`), a turn
 * ended without an answer (`no_answer`).
 */
type ClientErrorCode = 'unreachable' | 'stalled' | 'not_mochi' | 'text_replaced' | 'no_answer';

export interface MochiErrorFields {
  readonly code: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly status?: number | null;
  readonly requestId?: string | null;
  readonly retryAfterMs?: number | null;
  readonly turnId?: string | null;
  readonly cause?: unknown;
}

export class MochiError extends Error {
  override readonly name = 'MochiError';
  readonly code: ErrorCode | ClientErrorCode | (string & {});
  /** Null: it was told by an `error` event, or no answer came. */
  readonly status: number | null;
  readonly details: Readonly<Record<string, unknown>>;
  /** Under which the log of the server has it. */
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;
  /** The turn that it is about, or that holds the session. */
  readonly turnId: string | null;

  constructor(fields: MochiErrorFields) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = fields.code;
    this.status = fields.status ?? null;
    this.details = fields.details ?? {};
    this.requestId = fields.requestId ?? null;
    this.retryAfterMs = fields.retryAfterMs ?? null;
    const { turn_id: turnId } = this.details;
    this.turnId = fields.turnId ?? (typeof turnId === 'string' ? turnId : null);
  }
}

/** Also true for an error of another copy of this package. */
export function isMochiError(error: unknown): error is MochiError {
  return error instanceof Error && error.name === 'MochiError' && 'code' in error;
}
