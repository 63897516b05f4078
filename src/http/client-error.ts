// Requests that Node's parser refuses: they never reach a route, and still get an error as it is told at their path.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { MochiError } from '../contract/errors.ts';
import { randomHex } from '../kit/ids.ts';
import { closeGently, isClosing } from './connections/close-gently.ts';
import { pathOf, type TellError, type WrittenError } from './error-response.ts';

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

/** As Node hands it on. */
interface ParserError extends NodeJS.ErrnoException {
  /** What the parser was reading. */
  readonly rawPacket?: Buffer;
}

export function answerClientError(tell: TellError, error: ParserError, socket: Socket): void {
  if (isClosing(socket)) return;
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const answering = answerUnderWay(socket);
  if (answering !== null) {
    // What follows a request does not spoil its answer: that one ends as it should, then the connection does.
    answering.shouldKeepAlive = false;
    answering.once('close', () => closeGently(socket));
    return;
  }
  answerRaw(socket, tell(toClientError(error.code), { path: pathFrom(error, socket), id: randomHex(16) }));
}

/** `POST /v1/messages?beta=true HTTP/1.1` */
const REQUEST_LINE = /^\S+ (?:http:\/\/[^/?# ]*)?(\/[^?# ]*)\S* HTTP\//i;

/** Of the request that is being read; '' where nobody can tell. */
function pathFrom({ rawPacket }: ParserError, socket: AnsweringSocket): string {
  const known = socket._httpMessage?.req.url;
  const line = known === undefined ? (rawPacket?.toString('latin1') ?? '') : `X ${known} HTTP/`;
  return REQUEST_LINE.exec(line)?.[1] ?? '';
}

function toClientError(code: string | undefined): MochiError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new MochiError(
        'headers_too_large',
        'The header fields are too large. Send fewer or shorter ones.',
      );
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new MochiError(
        'request_timeout',
        'The request took too long to arrive (MOCHI_REQUEST_TIMEOUT_SECONDS). Send it again.',
      );
    default:
      return new MochiError('bad_request', 'The request is not well-formed HTTP. Check how it was written.');
  }
}

/** A tunnel that nobody offers: Node would close the connection without a word. */
export function refuseConnect(tell: TellError, socket: Duplex): void {
  const known = new MochiError(
    'bad_request',
    'This server is no proxy: send the request itself, without CONNECT.',
  );
  answerRaw(socket, tell(known, { path: '', id: randomHex(16) }));
}

/** An answer where there is no request to answer, and the end of the connection. */
function answerRaw(socket: Duplex, { status, headers, body }: WrittenError): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  closeGently(
    socket,
    `HTTP/1.1 ${status} ${REASONS[status]}\r\n${lines.join('')}content-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
}

/** Node keeps the answer that a connection is busy with there, and offers no other way to it. */
type AnsweringSocket = Socket & { _httpMessage?: ServerResponse | null };

function answerUnderWay(socket: AnsweringSocket): ServerResponse | null {
  const answer = socket._httpMessage ?? null;
  // A request whose own body is broken will not be answered.
  return answer !== null && (answer.req.complete || answer.headersSent) ? answer : null;
}

/** `Expect` with anything but 100-continue: Node would answer 417 without a body. */
export function refuseExpectation(tell: TellError, { url }: IncomingMessage, response: ServerResponse): void {
  const known = new MochiError(
    'bad_request',
    'The Expect header asks for something that is not offered: leave it out.',
  );
  const { status, headers, body } = tell(known, { path: pathOf(url ?? ''), id: randomHex(16) });
  response.writeHead(status, {
    ...headers,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  });
  response.end(body);
}
