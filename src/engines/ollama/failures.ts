// What goes wrong between us and Ollama, told apart and put into the contract's words.
import { MochiError, PART_IS_KEPT, TRY_AGAIN } from '../../contract/errors.ts';
import { cutText } from '../../kit/whole-characters.ts';
import { type ConnectionReason, connectionReason } from '../connection-reason.ts';

/** How much of Ollama's own text goes into a message. */
export const EXCERPT_LENGTH = 500;

/** The connection could not be made, or was cut before any byte came back; or bytes came that are no answer. */
export function unreachable(error: unknown, address: string): MochiError {
  return unconnected(connectionReason(error), address);
}

export function unconnected({ cause, text, advice }: ConnectionReason, address: string): MochiError {
  const check = cause === 'certificate' ? '' : 'Check MOCHI_OLLAMA_HOST.';
  const ways = [advice, check].filter((way) => way !== '').join(' ');
  const hasAnswered = cause === 'wants_tls' || cause === 'not_http';
  const said = hasAnswered
    ? `What is at ${address} is no Ollama, or is asked in the wrong way: ${text}.`
    : `Ollama could not be reached at ${address}: ${text}.`;
  return new MochiError(
    hasAnswered ? 'ollama_error' : 'ollama_unreachable',
    ways === '' ? said : `${said} ${ways}`,
    { kind: hasAnswered ? 'strange' : 'unreachable', cause },
  );
}

/** An error that Ollama wrote into the stream. */
export function fromStream(text: string): MochiError {
  const said = `Ollama answered: ${cutText(text, EXCERPT_LENGTH)}`;
  return isOverflow(text) ? overflow(said, {}) : ollamaError(text, said, {});
}

/** What it says of a model that cannot do what is asked of it, and of a request that it does not like. */
export function isRefusal({ kind, details }: MochiError): boolean {
  return kind === 'ollama_error' && [400, 501].includes(Number(details['status']));
}

/** A refusal where the client has said what is to be asked of the engine. */
export function notSupported({ message }: MochiError, model: string): MochiError {
  return new MochiError('not_supported', message, { model });
}

/** What Ollama says itself, told apart where something can be done about it. */
export function ollamaError(text: string, said: string, details: Record<string, unknown>): MochiError {
  return new MochiError('ollama_error', said, {
    ...details,
    ...ofRunner(text),
    ...(isLoadFailure(text) && { load_failed: true }),
  });
}

/** How the several runners and the scheduler say that memory does not suffice, or died of it (server/sched.go, llm/). */
function isLoadFailure(text: string): boolean {
  return /more (system )?memory|out of memory|resource limitations|(fail|unable|cannot|can't)\w*( be)? (to )?(load|allocate)|error loading model|(runner|llama-server) (process )?has (unexpectedly )?(terminated|stopped)/i.test(
    text,
  );
}

export function timedOut(seconds: number, phase: 'first_token' | 'idle'): MochiError {
  const what =
    phase === 'first_token'
      ? `Ollama sent nothing for ${seconds} s after the request (MOCHI_FIRST_TOKEN_TIMEOUT_SECONDS). Raise it if the model needs longer.`
      : `Ollama fell silent for ${seconds} s in the middle of its answer (MOCHI_IDLE_TIMEOUT_SECONDS). Raise it if the model needs longer.`;
  return new MochiError('engine_timeout', what, { phase, seconds });
}

export function incomplete(): MochiError {
  return new MochiError(
    'incomplete_response',
    `The answer of Ollama ended early${PART_IS_KEPT}.`,
    {},
    TRY_AGAIN,
  );
}

/** An answer that began well and then broke, by a cut or by bytes that are no HTTP. */
export function broken(error: unknown): MochiError {
  const { cause, text } = connectionReason(error);
  return cause === 'not_http' ? garbled(`In the middle of an answer ${text}.`) : incomplete();
}

export function garbled(reason: string): MochiError {
  return new MochiError('ollama_error', `Ollama sent something that is not its protocol. ${reason}`);
}

/** llama-server says how long the prompt is; Ollama's own check does not. */
export function overflow(said: string, details: Record<string, unknown>): MochiError {
  const [, tokens] = /request \((\d+) tokens\)/.exec(said) ?? [];
  return new MochiError('context_overflow', said, {
    ...details,
    ...(tokens !== undefined && { required_tokens: Number(tokens) }),
  });
}

/** A runner that died has nothing loaded any more, although /api/ps lists it until it is asked again. */
function ofRunner(text: string): { readonly kind?: 'runner_died' } {
  const isDead =
    /runner (?:process )?has (?:unexpectedly stopped|terminated)|runner process no longer running|encountered while running the model/i;
  return isDead.test(text) ? { kind: 'runner_died' } : {};
}

export function isOverflow(text: string): boolean {
  return /exceeds the available context size|longer than the context length|input length exceeds/i.test(text);
}
