// Answers other than the one that was asked for: Ollama's errors, and what proxies and other programs say.
import { MochiError } from '../../contract/errors.ts';
import { redactUrl } from '../../kit/redact-url.ts';
import { cutText } from '../../kit/whole-characters.ts';
import { WANTS_TLS } from '../connection-reason.ts';
import { EXCERPT_LENGTH, isOverflow, ollamaError, overflow, unconnected } from './failures.ts';
import { errorText } from './wire.ts';

export interface StatusAnswer {
  readonly status: number;
  readonly text: string;
  /** Where a redirect leads. */
  readonly location?: string;
}

/** How much of a page is searched for its text. */
const PAGE_LENGTH = 4096;
const CHECK_ADDRESS = 'Check the address and the path in MOCHI_OLLAMA_HOST';

/** An HTTP status other than 200, with whatever body it came with. @param address where it was asked for */
export function fromStatus({ status, text: body, location }: StatusAnswer, address: string): MochiError {
  const own = ownText(body);
  const text = own ?? plainText(body);
  const said = text === '' ? `Ollama answered with status ${status}.` : `Ollama answered: ${text}`;
  if (status === 503) return new MochiError('engine_busy', `${said} Try again in a moment.`, { status });
  if (isOverflow(text)) return overflow(said, { status });
  if (own !== null && status === 404 && /not found/i.test(own)) {
    return new MochiError('model_not_found', said, { status });
  }
  if (own !== null) return ollamaError(own, said, { status });
  if (/HTTP request (was )?(sent )?to (an )?HTTPS/i.test(text)) return unconnected(WANTS_TLS, address);
  const cause = foreignCause(status, { text, location, address });
  return new MochiError('ollama_error', cause ?? said, { status });
}

/** A page where data was expected: of a login, or of another program. */
export function strangePage(body: string, address: string): MochiError {
  const text = cutText(plainText(body), 80);
  const shown = text === '' ? '' : ` ("${text}")`;
  return noOllama(`What is at ${address} answers with a web page${shown}`, address);
}

export function isPage(body: string): boolean {
  return body.trimStart().startsWith('<');
}

function noOllama(what: string, address: string): MochiError {
  return new MochiError('ollama_error', `${what}: this is no Ollama. ${pathAdvice(address)}`, {
    kind: 'strange',
  });
}

/** What a status means that Ollama itself has not explained. */
function foreignCause(
  status: number,
  {
    text,
    location,
    address,
  }: { readonly text: string; readonly location: string | undefined; readonly address: string },
): string | null {
  const answers = `What is at ${address} answers ${status}${text === '' ? '' : ` (${cutText(text, 200)})`}`;
  if (status >= 300 && status < 400) {
    const target = location === undefined ? 'another address' : shownLocation(location);
    return `What is at ${address} redirects to ${target} (${status}). Name the final address in MOCHI_OLLAMA_HOST.`;
  }
  if (status === 401 || status === 407) {
    return `${answers}: it wants credentials. Put them into MOCHI_OLLAMA_HOST: http://user:password@host.`;
  }
  if (status === 403) {
    return `${answers}: it refuses this client, or the host name by which it is called. ${CHECK_ADDRESS}.`;
  }
  if (status === 404 || status === 405) return `${answers}: this is no Ollama. ${pathAdvice(address)}`;
  return null;
}

function pathAdvice(address: string): string {
  const { pathname } = new URL(address);
  return /\/(v1|api)\/?$/.test(pathname)
    ? `${CHECK_ADDRESS}: it must not end with ${pathname}.`
    : `${CHECK_ADDRESS}.`;
}

/** Without what may be secret in it. */
function shownLocation(location: string): string {
  const isWhole = /^https?:/i.test(location);
  const [shown = ''] = (isWhole ? redactUrl(location) : location).split('?', 1);
  return cutText(shown, 200);
}

/** The text of an error in Ollama's own form, JSON; null for what something else has sent. */
function ownText(body: string): string | null {
  try {
    const text = errorText(JSON.parse(body.trim()));
    return text === null ? null : cutText(text, EXCERPT_LENGTH);
  } catch {
    return null;
  }
}

/** What is left of a page, or the text as it is. */
function plainText(body: string): string {
  const trimmed = body.trim();
  // The start of a page is enough, and bounds what a broken one can cost.
  const page = trimmed.slice(0, PAGE_LENGTH);
  const plain = isPage(trimmed) ? page.replace(/<(style|script)[\s\S]*?<\/\1>|<[^>]*>/gi, ' ') : trimmed;
  return cutText(plain.replace(/\s+/g, ' ').trim(), EXCERPT_LENGTH);
}
