// The only place that answers an error: one envelope, whatever went wrong and wherever, but where another API is spoken.
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorBody, type ErrorKindName, MochiError } from '../contract/errors.ts';
import type { Dialect, ToldError } from '../dialects/dialect.ts';
import { dialectOf } from '../dialects/dialects.ts';
import { cutText } from '../kit/whole-characters.ts';

/** Seconds after which a client may try again where the server was full or is being set up. */
const RETRY_AFTER_SECONDS = 2;

const RETRIED: ReadonlySet<ErrorKindName> = new Set([
  'not_accepting',
  'overloaded',
  'database_busy',
  'engine_busy',
  'engine_not_ready',
]);

/** Of these nothing is stored, and they pass. */
const WORTH_WAITING: ReadonlySet<ErrorKindName> = new Set([
  'not_accepting',
  'overloaded',
  'engine_busy',
  'engine_not_ready',
  'session_busy',
]);

const JSON_TYPE = 'application/json; charset=utf-8';

export function envelope(error: ErrorBody): { detail: { error: ErrorBody } } {
  return { detail: { error } };
}

export type AnswerError = (error: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply;

/** @returns what answers an error of any path in the shape of whoever speaks there */
export function errorAnswers(dialects: readonly Dialect[]): AnswerError {
  return (error, request, reply) => {
    const known = toMochiError(error);
    if (known.status >= 500) logFailure(error, known, request);
    if (RETRIED.has(known.kind)) void reply.header('retry-after', RETRY_AFTER_SECONDS);
    if (known.kind === 'unauthorized') void reply.header('www-authenticate', 'Bearer');
    const dialect = dialectOf(dialects, pathOf(request.originalUrl));
    if (dialect !== null) return answerInDialect(dialect.tellError(known, request), known, reply);
    return reply.code(known.status).type(JSON_TYPE).send(envelope(known.toBody()));
  };
}

/** An error where no request came to be: as it is written. */
export interface WrittenError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** @param request `path`: '' where it is not known */
export type TellError = (
  error: MochiError,
  request: { readonly path: string; readonly id: string },
) => WrittenError;

/** @returns what tells an error of any path in the shape of whoever speaks there */
export function errorTeller(dialects: readonly Dialect[]): TellError {
  return (error, { path, id }) => {
    const own: ToldError = { status: error.status, body: envelope(error.toBody()) };
    const { status, body, headers = {} } = dialectOf(dialects, path)?.tellError(error, { id }) ?? own;
    return {
      status,
      headers: { 'content-type': typeOf(body), 'x-request-id': id, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    };
  };
}

function typeOf(body: ToldError['body']): string {
  return typeof body === 'string' ? 'text/plain; charset=utf-8' : JSON_TYPE;
}

/** What became of a turn that is stored was said in its head. */
function answerInDialect(
  { status, body, headers = {} }: ToldError,
  { kind }: MochiError,
  reply: FastifyReply,
): FastifyReply {
  if (WORTH_WAITING.has(kind) && !reply.hasHeader('x-should-retry')) {
    void reply.headers({ 'x-should-retry': 'true', 'retry-after': RETRY_AFTER_SECONDS });
  }
  return reply.code(status).headers(headers).type(typeOf(body)).send(body);
}

export function answerErrors(app: FastifyInstance, answerError: AnswerError): void {
  app.setErrorHandler((error: FastifyError, request, reply) => answerError(error, request, reply));
  app.setNotFoundHandler((request, reply) => answerError(notFound(request), request, reply));
}

/** How much of an address an error repeats. */
const SHOWN_PATH = 200;

export function notFound(request: FastifyRequest): MochiError {
  const path = cutText(pathOf(request.originalUrl), SHOWN_PATH);
  return new MochiError('not_found', `There is no ${path} here. /docs shows what there is.`, { path });
}

/** A fault of our own is logged whole. What others cause has its reason in its words: where it was noticed says nothing. */
function logFailure(
  error: unknown,
  { kind, code, message, status }: MochiError,
  request: FastifyRequest,
): void {
  // While the engine is fetched every client asks again and again.
  const level = kind === 'internal_error' ? 'error' : kind === 'engine_not_ready' ? 'debug' : 'warn';
  const reason = status === 500 ? { err: error } : { reason: message };
  request.log[level]({ request_id: request.id, code, ...reason }, 'request failed');
}

/** Faults that have no words of their own are logged and told in general ones. */
function toMochiError(error: unknown): MochiError {
  if (error instanceof MochiError) return error;
  const fault = isFastifyError(error) ? error : null;
  if (fault?.validation) return validationError(fault);
  const kind = fault === null ? undefined : frameworkKind(fault);
  if (kind !== undefined) return new MochiError(kind, frameworkText(kind));
  return new MochiError(
    'internal_error',
    'The server made a mistake. Its log has the details under the request id.',
  );
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

/** What the validator says in the terms of its schema. */
const PLAIN_WORDS: Readonly<Record<string, string>> = {
  'must match pattern "\\S"': 'must not be blank',
  'must match pattern "^$|\\S"': 'must not be blank',
};

/** Patterns of more than a glance. */
const PLAIN_PATTERNS: readonly (readonly [string, string])[] = [
  ['must match pattern "^\\s*(data:image/', 'must be base64, or a data URI of an image in base64'],
];

type Misfit = NonNullable<FastifyError['validation']>[number];

function inPlainWords({ message = 'is not valid', keyword, params }: Misfit): string {
  // The validator's parameters of these three, as it documents them.
  const { type, allowedValues, allowedValue } = params;
  if (keyword === 'type') return `must be ${String(type).replaceAll(',', ' or ')}`;
  if (keyword === 'enum' && Array.isArray(allowedValues)) return `must be one of ${allowedValues.join(', ')}`;
  if (keyword === 'const') return `must be ${JSON.stringify(allowedValue)}`;
  const known = PLAIN_PATTERNS.find(([pattern]) => message.startsWith(pattern));
  return PLAIN_WORDS[message] ?? known?.[1] ?? message;
}

/** Of a value that may be several things each misfit is told; together they say what it may be. */
function joinAlternatives(misfits: readonly Misfit[]): readonly { path: string; message: string }[] {
  const isOneOf = (misfit: Misfit) => misfit.keyword === 'anyOf' || misfit.keyword === 'oneOf';
  const unions = new Set(misfits.filter(isOneOf).map(({ instancePath }) => instancePath));
  const byPath = Map.groupBy(
    misfits.filter((misfit) => !isOneOf(misfit)),
    ({ instancePath }) => instancePath,
  );
  const told = [...byPath].flatMap(([path, group]) => {
    const messages = [...new Set(group.map(inPlainWords))];
    if (!unions.has(path)) return messages.map((message) => ({ path, message }));
    return [{ path, message: messages.join(', or ').replaceAll(', or must be ', ', or ') }];
  });
  const alone = misfits.filter((misfit) => isOneOf(misfit) && !byPath.has(misfit.instancePath));
  return [...told, ...alone.map((misfit) => ({ path: misfit.instancePath, message: inPlainWords(misfit) }))];
}

function validationError(error: FastifyError): MochiError {
  const errors = joinAlternatives(error.validation ?? []).map(({ path, message }) => ({
    path: path === '' ? `/${error.validationContext ?? 'body'}` : cutText(path, SHOWN_PATH),
    message: cutText(message, SHOWN_PATH),
  }));
  const first = errors[0];
  const said = first === undefined ? '' : `: ${first.path} ${first.message}`;
  return new MochiError('validation_error', `The request is not valid${said}.`, { errors });
}

/** The framework's own codes (fastify/lib/errors.js) that a client can cause. */
function frameworkKind(error: FastifyError): ErrorKindName | undefined {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return 'payload_too_large';
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return 'unsupported_media_type';
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return 'bad_request';
    case 'FST_ERR_BAD_URL':
    // A file name that no file system takes.
    case 'ENAMETOOLONG':
      return 'not_found';
    case 'ECONNRESET':
      return 'bad_request';
    default:
      return undefined;
  }
}

function frameworkText(kind: ErrorKindName): string {
  switch (kind) {
    case 'payload_too_large':
      return 'The body is too large (MOCHI_MAX_BODY_BYTES). Send less at once.';
    case 'unsupported_media_type':
      return 'Send the body as JSON, with content-type: application/json.';
    case 'not_found':
      return 'There is nothing at this address. /docs shows what there is.';
    default:
      return 'The request is not well-formed: its body is not what its headers promise.';
  }
}

/** The path without its query, which may hold what people typed. */
export function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? url;
}
