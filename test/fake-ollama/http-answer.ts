// Answers that are no stream: HTTP errors in all the forms a client of Ollama meets, pages of proxies, redirects.
import type { ServerResponse } from 'node:http';
import { goJson } from './go-json.ts';

/** A whole HTTP answer. */
export type HttpAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** A JSON answer with Ollama's content type. */
export function jsonAnswer(status: number, body: unknown, headers: Record<string, string> = {}): HttpAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: goJson(body),
  };
}

/** A `text/plain` answer. */
export function plainAnswer(status: number, body: string): HttpAnswer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}

/** What a reverse proxy in front of Ollama says. */
export function htmlAnswer(status = 502): HttpAnswer {
  const body = `<html>\r\n<head><title>${status} Bad Gateway</title></head>\r\n<body>\r\n<center><h1>${status} Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`;
  return { status, headers: { 'content-type': 'text/html' }, body };
}

/** A status with no body and no content type, as Ollama's 403 for a foreign Host. */
export function emptyAnswer(status: number): HttpAnswer {
  return { status, headers: {}, body: '' };
}

/** A redirect, as Go's router sends for a doubled slash and a proxy for http → https. */
export function redirectAnswer(location: string, status = 301): HttpAnswer {
  return { status, headers: { location, 'content-type': 'text/html; charset=utf-8' }, body: '' };
}

/**
 * The text of llama-server's refusal of a long prompt. Ollama passes it on as it is, so that the `error` string
 * holds a JSON document.
 */
export function exceedContextError(promptTokens: number, window: number): string {
  const message = `request (${promptTokens} tokens) exceeds the available context size (${window} tokens), try increasing it`;
  const error = {
    code: 400,
    message,
    type: 'exceed_context_size_error',
    n_prompt_tokens: promptTokens,
    n_ctx: window,
  };
  return JSON.stringify({ error });
}

/** Sends a whole answer with its length; a status that has no body gets none. */
export function sendAnswer(response: ServerResponse, answer: HttpAnswer): void {
  response.writeHead(answer.status, {
    ...answer.headers,
    'content-length': String(Buffer.byteLength(answer.body)),
  });
  response.end(answer.body);
}
