// Ollama's protection against web pages: foreign Host headers and Origins get an empty 403.
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/** Whether a server on a loopback address answers a request with these headers. */
export function isAllowed(headers: IncomingHttpHeaders): boolean {
  return isAllowedHost(headers.host ?? '') && isAllowedOrigin(headers.origin, headers.host ?? '');
}

function isAllowedHost(host: string): boolean {
  const name = host
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase();
  if (name === '' || name === 'localhost' || isIP(name) !== 0) return true;
  return /\.(localhost|local|internal)$/.test(name);
}

function isAllowedOrigin(origin: string | undefined, host: string): boolean {
  if (!origin || origin === `http://${host}` || origin === `https://${host}`) return true;
  if (/^https?:\/\/(localhost|127\.0\.0\.1|0\.0\.0\.0)(:\d+)?$/.test(origin)) return true;
  return /^(app|file|tauri|vscode-webview|vscode-file):\/\//.test(origin);
}
