// Everything that Ollama itself takes as OLLAMA_HOST, as one URL that can be connected to.
import { isIPv6 } from 'node:net';

/** @returns the URL without trailing slash, or undefined when the text names no HTTP address */
export function parseOllamaHost(text: string): string | undefined {
  // The URL parser would quietly drop blanks and line ends; a query or fragment means nothing here.
  if (/[\s?#]/.test(text)) return undefined;
  const url = URL.parse(text.includes('://') ? text : withScheme(text));
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  // A server listens on "any address", but nobody can connect to it.
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
  if (url.hostname === '[::]') url.hostname = '[::1]';
  return url.href.replace(/\/+$/, '');
}

/** Without a scheme the default port is Ollama's, not that of HTTP. */
function withScheme(text: string): string {
  if (isIPv6(text)) return `http://[${text}]:11434`;
  const [authority = '', ...path] = text.split('/');
  const address = authority.startsWith(':') ? `127.0.0.1${authority}` : authority;
  const port = /:\d+$/.test(address) ? '' : ':11434';
  return `http://${[address + port, ...path].join('/')}`;
}
