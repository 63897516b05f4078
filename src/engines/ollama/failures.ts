// What goes wrong between us and Ollama, told apart and put into the contract's words.
import { MochiError } from '../../contract/errors.ts';
import { errorText } from './wire.ts';

/** How much of Ollama's own text goes into a message. */
const EXCERPT_LENGTH = 500;
/** How much of a page is searched for it. */
const PAGE_LENGTH = 4096;

/** The connection could not be made, or was cut before any byte came back. */
export function unreachable(error: unknown, address: string): MochiError {
  return new MochiError(
    'ollama_unreachable',
    `Ollama could not be reached at ${address}: ${reasonOf(error)}. Is it running? Check MOCHI_OLLAMA_HOST.`,
    { kind: 'unreachable' },
  );
}

/** An HTTP status other than 200, with whatever body it came with. */
export function fromStatus(status: number, body: string): MochiError {
  const text = bodyText(body);
  const said = text === '' ? `Ollama answered with status ${status}.` : `Ollama answered: ${text}`;
  if (status === 503) return new MochiError('engine_busy', `${said} Try again in a moment.`, { status });
  return isOverflow(text) ? overflow(said, { status }) : new MochiError('ollama_error', said, { status });
}

/** An error that Ollama wrote into the stream. */
export function fromStream(text: string): MochiError {
  const said = `Ollama answered: ${text.slice(0, EXCERPT_LENGTH)}`;
  return isOverflow(text) ? overflow(said, {}) : new MochiError('ollama_error', said);
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
    'The answer of Ollama ended early; what came until then is kept. Send message: null to try again.',
  );
}

export function garbled(reason: string): MochiError {
  return new MochiError('ollama_error', `Ollama sent something that is not its protocol. ${reason}`);
}

/** llama-server says how long the prompt is; Ollama's own check does not. */
function overflow(said: string, details: Record<string, unknown>): MochiError {
  const [, tokens] = /request \((\d+) tokens\)/.exec(said) ?? [];
  return new MochiError('context_overflow', said, {
    ...details,
    ...(tokens !== undefined && { required_tokens: Number(tokens) }),
  });
}

function isOverflow(text: string): boolean {
  return /exceeds the available context size|longer than the context length|input length exceeds/i.test(text);
}

/** Ollama's error as text: JSON in its several forms, or what is left of an HTML page. */
function bodyText(body: string): string {
  const trimmed = body.trim();
  try {
    const parsed: unknown = JSON.parse(trimmed);
    const text = errorText(parsed);
    if (text !== null) return text.slice(0, EXCERPT_LENGTH);
  } catch {
    // Not JSON: a proxy's page, or plain text.
  }
  const isPage = trimmed.startsWith('<');
  // The start of a page is enough, and bounds what a broken one can cost.
  const page = trimmed.slice(0, PAGE_LENGTH);
  const plain = isPage ? page.replace(/<(style|script)[\s\S]*?<\/\1>|<[^>]*>/gi, ' ') : trimmed;
  return plain.replace(/\s+/g, ' ').trim().slice(0, EXCERPT_LENGTH);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ECONNREFUSED') return 'the connection was refused';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name is unknown';
  if (code.includes('TIMEOUT') || error.name === 'TimeoutError') return 'it did not answer in time';
  return 'the connection was cut';
}
