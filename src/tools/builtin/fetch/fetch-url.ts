// `fetch_url`: a page of the public Internet as text.
import { isIP } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { Agent, fetch, type Response } from 'undici';
import { cutText } from '../../../kit/whole-characters.ts';
import { BuiltinFault, type BuiltinTool } from '../builtin-tool.ts';
import { type FetchAllowance, readAllowance } from './check-address.ts';
import { checkAddress, createLookup, type Resolve, resolveBySystem } from './checked-lookup.ts';
import { fetchFault } from './fetch-fault.ts';
import { pageText } from './page-text.ts';
import { readBody, textKindOf } from './read-body.ts';

export interface FetchOptions {
  readonly fetchAllow: readonly string[];
  readonly version: string;
}

const TIME_LIMIT_MS = 15_000;
const MAX_REDIRECTS = 5;
/** Of what stands behind an answer that is none. */
const ERROR_LENGTH = 500;

export function fetchUrl(
  { fetchAllow, version }: FetchOptions,
  resolve: Resolve = resolveBySystem,
): BuiltinTool {
  const allowance = readAllowance(fetchAllow);
  const lookup = createLookup(allowance, resolve);
  return {
    description: 'Fetch a web page or a text from the Internet, and read it as text.',
    inputSchema: {
      type: 'object',
      properties: {
        url: {
          type: 'string',
          minLength: 1,
          maxLength: 4000,
          description: 'Such as https://example.com/page',
        },
      },
      required: ['url'],
      additionalProperties: false,
    },
    readOnly: true,
    async run({ url }, { signal: stopped }) {
      const late = AbortSignal.timeout(TIME_LIMIT_MS);
      const signal = AbortSignal.any([stopped, late]);
      // For this call alone: nothing that one call has opened serves another.
      const agent = new Agent({ connect: { lookup, timeout: TIME_LIMIT_MS }, maxHeaderSize: 32 * 1024 });
      try {
        const get = (at: URL) =>
          fetch(at, {
            dispatcher: agent,
            redirect: 'manual',
            signal,
            headers: { 'user-agent': `mochi-server/${version}`, accept: 'text/html, text/*, */*;q=0.1' },
          });
        return await fetchText(String(url), { allowance, get, signal });
      } catch (error) {
        if (late.aborted && !stopped.aborted) {
          throw new BuiltinFault(`${hostOf(String(url))} did not answer within ${TIME_LIMIT_MS / 1000} s.`);
        }
        throw fetchFault(error, hostOf(String(url)));
      } finally {
        await agent.destroy();
      }
    },
  };
}

interface Fetching {
  readonly allowance: FetchAllowance;
  readonly get: (url: URL) => Promise<Response>;
  readonly signal: AbortSignal;
}

async function fetchText(given: string, fetching: Fetching): Promise<string> {
  let url = readUrl(given, fetching.allowance);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const response = await fetching.get(url);
    const next = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
    if (next === null) return answerText(response, url, fetching.signal);
    await response.body?.cancel();
    url = readUrl(URL.parse(next, url.href)?.href ?? next, fetching.allowance);
  }
  throw new BuiltinFault(`It was sent on more than ${MAX_REDIRECTS} times.`);
}

/** @throws BuiltinFault for what is no address of a page, or one that may not be reached */
function readUrl(text: string, allowance: FetchAllowance): URL {
  const url = URL.parse(text.trim());
  if (url === null)
    throw new BuiltinFault(`'${cutText(text, 200)}' is no URL such as https://example.com/page.`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new BuiltinFault(`Only http and https can be fetched, not ${url.protocol.slice(0, 20)}`);
  }
  if (url.username !== '' || url.password !== '') throw new BuiltinFault('A URL must not hold a password.');
  // Names are looked at when they are looked up; an address is not looked up.
  const address = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) !== 0) checkAddress(url.hostname, address, allowance);
  return url;
}

async function answerText(response: Response, url: URL, signal: AbortSignal): Promise<string> {
  const { status, headers } = response;
  const type = headers.get('content-type') ?? '';
  const kind = textKindOf(type);
  if (kind === null) throw new BuiltinFault(`It is no text, but ${cutText(type, 100)}.`);
  const { text: body, isWhole } = await readBody(response, type);
  // What was read is in one piece; what is made of it takes its time.
  await setImmediate();
  const text = kind === 'html' ? await pageText(body, { url, signal }) : body;
  if (status >= 400) {
    throw new BuiltinFault(`${url.hostname} answered ${status}: ${cutText(text.trim(), ERROR_LENGTH)}`);
  }
  if (text.trim() === '') return `[${url.href} has no text]`;
  return isWhole ? text : `${text}\n[it is longer; the rest was not fetched]`;
}

function hostOf(url: string): string {
  return URL.parse(url.trim())?.hostname ?? 'It';
}
