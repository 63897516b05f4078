// How long a chat waits for the engine process.
import { MochiError } from '../../contract/errors.ts';
import { startDeadline } from '../deadline.ts';

export interface PatienceOptions {
  readonly firstTokenTimeoutSeconds: number;
  readonly idleTimeoutSeconds: number;
}

export interface Patience {
  /** Aborted when the caller's is, and when the engine was silent for too long. */
  readonly signal: AbortSignal;
  readonly expired: MochiError | null;
  heard(): void;
  stop(): void;
}

/** The deadlines of a chat: one for its first token, one between two tokens. */
export function startPatience(options: PatienceOptions, signal: AbortSignal): Patience {
  const abort = new AbortController();
  let phase: 'first_token' | 'idle' = 'first_token';
  let expired: MochiError | null = null;
  const deadline = startDeadline(options.firstTokenTimeoutSeconds * 1000, () => {
    const isFirst = phase === 'first_token';
    const seconds = isFirst ? options.firstTokenTimeoutSeconds : options.idleTimeoutSeconds;
    const setting = isFirst ? 'MOCHI_FIRST_TOKEN_TIMEOUT_SECONDS' : 'MOCHI_IDLE_TIMEOUT_SECONDS';
    expired = new MochiError(
      'engine_timeout',
      `The embedded engine was silent for ${seconds} s (${setting}).`,
      { phase, seconds },
    );
    abort.abort();
  });
  return {
    signal: AbortSignal.any([signal, abort.signal]),
    get expired() {
      return expired;
    },
    heard() {
      phase = 'idle';
      deadline.extend(options.idleTimeoutSeconds * 1000);
    },
    stop: () => deadline.stop(),
  };
}
