// Who may ask: the right Host, an allowed Origin, a key where keys are set.
import { createHash, timingSafeEqual } from 'node:crypto';
import cors from '@fastify/cors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { MochiError } from '../contract/errors.ts';
import { isLoopbackHost } from '../kit/loopback.ts';
import type { KnownPaths } from './method-not-allowed.ts';
import { OPEN_PAGES } from './pages/page-routes.ts';
import type { StreamTokens } from './stream-token.ts';

export interface AccessRules {
  /** The address that the server binds. */
  readonly host: string;
  readonly allowedHosts: readonly string[];
  /** null: loopback origins, and those that no web page can have. */
  readonly corsOrigins: '*' | readonly string[] | null;
  readonly apiKeys: readonly string[];
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
/** For other instances, which show the secret of the database. */
export const PEER_PATH = '/internal/turns/:turn_id/events';
/** For orchestrators, which have no key, and for people, who are asked for it. */
const OPEN_ROUTES = new Set(['/livez', '/readyz', PEER_PATH, ...OPEN_PAGES]);
/** The one route that a token opens. */
export const STREAM_PATH = '/api/v1/turns/:turn_id/stream';
/** Answer headers that a browser's script may read. */
const EXPOSED_HEADERS = [
  'location',
  'x-turn-id',
  'x-request-id',
  'retry-after',
  'x-mochi-session',
  'x-mochi-context',
  'x-mochi-error',
  'x-should-retry',
  'request-id',
];
/** Of desktop and mobile shells, editors and browser extensions: no page of a web site is in one of them. */
const APP_ORIGIN =
  /^(?:app|tauri|vscode-webview|vscode-file|capacitor|ionic|chrome-extension|moz-extension|safari-web-extension):\/\//i;
/** How containers name the machine that they run on: no web site can have these names. */
const CONTAINER_HOSTS = ['host.docker.internal', 'gateway.docker.internal', 'host.containers.internal'];

export async function guardAccess(
  app: FastifyInstance,
  rules: AccessRules,
  { urlOf, tokens }: Pick<KnownPaths, 'urlOf'> & { readonly tokens: StreamTokens },
): Promise<void> {
  const isAllowedOrigin = originRule(rules.corsOrigins);
  const isKey = keyRule(rules.apiKeys);
  const checksHost = isLoopbackHost(rules.host);

  app.addHook('onRequest', async (request) => {
    // RFC 9112 §3.2: whoever reads the other one would see another request.
    if (hostCount(request.raw.rawHeaders) > 1) {
      throw new MochiError('bad_request', 'The request has two Host headers. Send one.');
    }
    if (checksHost && !isAllowedHost(request, rules.allowedHosts)) throw hostRefused(request);
    const { origin } = request.headers;
    // CORS hides an answer from a foreign page; it does not keep the page from having its request carried out.
    const isPreflight =
      request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
    if (origin !== undefined && (isPreflight || !SAFE_METHODS.has(request.method))) {
      if (!isAllowedOrigin(origin) && !isSameOrigin(origin, request)) throw originRefused(origin);
    }
  });
  app.addHook('onRequest', async ({ method, headers: { origin, ...headers } }, reply) => {
    if (method !== 'OPTIONS' || headers['access-control-request-private-network'] === undefined) return;
    if (origin !== undefined && isAllowedOrigin(origin)) {
      void reply.header('access-control-allow-private-network', 'true');
    }
  });
  await app.register(cors, {
    origin: (origin, decide) => decide(null, origin !== undefined && isAllowedOrigin(origin)),
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED_HEADERS,
    credentials: false,
    maxAge: 600,
    strictPreflight: false,
  });
  app.addHook('onRequest', async (request) => {
    if (rules.apiKeys.length === 0 || request.method === 'OPTIONS') return;
    if (OPEN_ROUTES.has(urlOf(request) ?? '')) return;
    const keys = keysOf(request);
    if (keys.some(isKey)) return;
    const token = streamTokenOf(request);
    if (token === null) throw keyRefused(keys);
    if (!(await tokens.accepts(token, Object(request.params).turn_id))) throw tokenRefused();
  });
}

/** @param rawHeaders names and values in turn */
function hostCount(rawHeaders: readonly string[]): number {
  return rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
}

function isAllowedHost(request: FastifyRequest, allowedHosts: readonly string[]): boolean {
  const host = hostnameOf(`http://${request.headers.host ?? ''}`);
  if (host === null) return false;
  return isLoopbackHost(host) || CONTAINER_HOSTS.includes(host) || allowedHosts.includes(host);
}

function originRule(corsOrigins: AccessRules['corsOrigins']): (origin: string) => boolean {
  if (corsOrigins === '*') return () => true;
  if (corsOrigins !== null) return (origin) => corsOrigins.includes(origin);
  return (origin) => {
    const host = hostnameOf(origin);
    return APP_ORIGIN.test(origin) || (host !== null && isLoopbackHost(host));
  };
}

function isSameOrigin(origin: string, request: FastifyRequest): boolean {
  try {
    return new URL(origin).host === request.headers.host;
  } catch {
    return false;
  }
}

/** Lower case, without port and brackets; null for what is no URL. */
function hostnameOf(url: string): string | null {
  try {
    const { hostname } = new URL(url);
    return hostname === '' ? null : hostname.replace(/^\[|\]$/g, '');
  } catch {
    return null;
  }
}

/** Compares digests, which have one length, in constant time, and looks at every key. */
function keyRule(apiKeys: readonly string[]): (given: string) => boolean {
  const digests = apiKeys.map(digest);
  return (given) => {
    const found = digest(given);
    return digests.reduce((isFound, key) => timingSafeEqual(key, found) || isFound, false);
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function bearerOf(request: FastifyRequest): string {
  const [scheme = '', ...rest] = (request.headers.authorization ?? '').split(' ');
  return scheme.toLowerCase() === 'bearer' ? rest.join(' ').trim() : '';
}

/** Each client has a header of its own for it. */
export function keysOf(request: FastifyRequest): string[] {
  const { 'x-api-key': own, 'api-key': other } = request.headers;
  return [bearerOf(request), own, other].filter(
    (key): key is string => typeof key === 'string' && key !== '',
  );
}

/** Null where none is given, or none would be looked at. */
function streamTokenOf(request: FastifyRequest): string | null {
  if (request.method !== 'GET' || request.routeOptions.url !== STREAM_PATH) return null;
  const { token = '' } = Object(request.query);
  return String(token) || null;
}

function tokenRefused(): MochiError {
  return new MochiError(
    'unauthorized',
    'This token is not one of this turn, or no longer. POST /api/v1/turns/{turn_id}/stream-token, with a key, gives a new one.',
  );
}

function keyRefused(keys: readonly string[]): MochiError {
  return new MochiError(
    'unauthorized',
    keys.length === 0
      ? 'This server asks for an API key. Send one of MOCHI_API_KEYS: authorization: Bearer KEY.'
      : 'This API key is none of the server: it must be one of MOCHI_API_KEYS, as they stand there.',
  );
}

function hostRefused(request: FastifyRequest): MochiError {
  return new MochiError(
    'host_not_allowed',
    'This server listens on loopback and answers loopback names only. Add the name to MOCHI_ALLOWED_HOSTS.',
    { host: request.headers.host ?? '' },
  );
}

function originRefused(origin: string): MochiError {
  return new MochiError(
    'host_not_allowed',
    'Pages of this origin may not change anything here. Add it to MOCHI_CORS_ORIGINS.',
    { origin },
  );
}
