// The pages for people: a hello at the root, the documentation at /docs, and the files of both, each held once.
import { readFile } from 'node:fs/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { notFound, pathOf } from '../error-response.ts';
import { addressOf } from '../forwarded-prefix.ts';
import { formAskedFor } from './asked-for.ts';
import { DOCS_SCRIPT } from './docs-script.ts';
import { docsPage, HELLO_TEXT, helloPage, OLLAMA_TEXT, PAGE_STYLE } from './html-pages.ts';
import { encodedFor, readWebPage } from './web-page.ts';

/** Pages that open without a key: they hold nothing of anybody, and ask for the key where it is needed. */
export const OPEN_PAGES = [
  '/',
  '/assets/:name',
  '/favicon.svg',
  '/manifest.webmanifest',
  '/docs',
  '/docs/static/:name',
  '/redoc',
];

interface PageFile {
  readonly type: string;
  readonly read: () => Promise<Buffer>;
}

const FILES: ReadonlyMap<string, PageFile> = new Map([
  ['docs.js', { type: 'text/javascript; charset=utf-8', read: async () => Buffer.from(DOCS_SCRIPT) }],
  ['page.css', { type: 'text/css; charset=utf-8', read: async () => Buffer.from(PAGE_STYLE) }],
  ['swagger-ui.css', { type: 'text/css; charset=utf-8', read: () => readPackaged('swagger-ui.css') }],
  [
    'swagger-ui-bundle.js',
    { type: 'text/javascript; charset=utf-8', read: () => readPackaged('swagger-ui-bundle.js') },
  ],
  ['favicon-32x32.png', { type: 'image/png', read: () => readPackaged('favicon-32x32.png') }],
]);

/** Only what this server itself sends is loaded, run or asked, and no other page may frame it. */
const SOURCES = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
];

const PAGE_HEADERS = {
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
};

const DOCS_HEADERS = {
  ...PAGE_HEADERS,
  'content-security-policy': [...SOURCES, "img-src 'self' data:"].join('; '),
};

/** Of the page to chat on: besides, no string ever becomes markup there. */
const WEB_HEADERS = {
  ...PAGE_HEADERS,
  'content-security-policy': [
    ...SOURCES,
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "manifest-src 'self'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
};

export interface PageOptions {
  readonly version: string;
  /** Whether there is a page to chat on. */
  readonly webEnabled: boolean;
  /** Whether it answers as an Ollama does, too. */
  readonly speaksOllama: boolean;
}

export function pageRoutes(app: FastifyInstance, { version, webEnabled, speaksOllama }: PageOptions): void {
  const schema = { hide: true };
  const held = new Map<string, Promise<Buffer>>();
  // Once: whoever asks for it gets the same bytes.
  let document: Promise<Buffer> | null = null;
  const sendDocument = async (_request: FastifyRequest, reply: FastifyReply) =>
    reply.type('application/json; charset=utf-8').send(await (document ??= readDocument()));

  app.get('/', { schema }, async (request, reply) => {
    void reply.header('vary', 'accept');
    const form = formAskedFor(request.headers.accept);
    if (form === 'html') {
      const isSent = webEnabled && (await sendFile(request, reply, 'index.html'));
      return isSent ? reply : sendPage(reply, helloPage(request.socket.localPort, webEnabled));
    }
    const hello = speaksOllama ? OLLAMA_TEXT : HELLO_TEXT;
    if (form === 'text') return reply.type('text/plain; charset=utf-8').send(hello);
    const [docs, api] = [addressOf(request, '/docs'), addressOf(request, '/api/v1')];
    return reply.type('application/json; charset=utf-8').send({ name: 'mochi-server', version, docs, api });
  });
  const webFile = async (request: FastifyRequest, reply: FastifyReply) => {
    const isSent = webEnabled && (await sendFile(request, reply, pathOf(request.url).slice(1)));
    if (!isSent) throw notFound(request);
    return reply;
  };
  for (const path of ['/assets/:name', '/favicon.svg', '/manifest.webmanifest'])
    app.get(path, { schema }, webFile);
  app.get('/docs', { schema }, async (request, reply) =>
    sendPage(reply, docsPage(pathOf(request.url).endsWith('/') ? 'static' : 'docs/static')),
  );
  for (const path of ['/openapi.json', '/docs/json']) app.get(path, { schema }, sendDocument);
  app.get<{ Params: { name: string } }>('/docs/static/:name', { schema }, async (request, reply) => {
    const { name } = request.params;
    const file = FILES.get(name);
    if (file === undefined) throw notFound(request);
    const bytes = held.get(name) ?? file.read();
    held.set(name, bytes);
    return reply.type(file.type).send(await bytes);
  });
  app.get('/redoc', { schema }, async (request, reply) => reply.redirect(addressOf(request, '/docs')));
}

function sendPage(reply: FastifyReply, html: string): FastifyReply {
  return reply.headers(DOCS_HEADERS).type('text/html; charset=utf-8').send(html);
}

/** Files with a hash in their name never change. @returns whether there is such a file */
async function sendFile(request: FastifyRequest, reply: FastifyReply, name: string): Promise<boolean> {
  const file = (await readWebPage())?.file(name) ?? null;
  if (file === null) return false;
  const { bytes, encoding } = encodedFor(file, request.headers['accept-encoding']);
  const etag = `"${file.etag}${encoding === null ? '' : `-${encoding}`}"`;
  const lasts = name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
  void reply.headers({ ...WEB_HEADERS, etag, 'cache-control': lasts, vary: 'accept, accept-encoding' });
  if (request.headers['if-none-match'] === etag) {
    void reply.code(304).send();
    return true;
  }
  if (encoding !== null) void reply.header('content-encoding', encoding);
  void reply.type(file.type).send(bytes);
  return true;
}

/** The OpenAPI document as it was made from the routes: that it is current is checked where they are changed. */
async function readDocument(): Promise<Buffer> {
  const text = await readFile(new URL('../../../openapi.json', import.meta.url), 'utf8');
  return Buffer.from(JSON.stringify(JSON.parse(text)));
}

function readPackaged(name: string): Promise<Buffer> {
  return readFile(new URL(name, import.meta.resolve('@fastify/swagger-ui/static/swagger-ui.css')));
}
