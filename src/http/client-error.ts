// Requests that Node's parser refuses: they never reach a route, and still get the envelope.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { MochiError } from '../contract/errors.ts';
import { randomHex } from '../kit/ids.ts';
import { closeGently, isClosing } from './connections/close-gently.ts';
import { envelope } from './error-response.ts';

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
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
  answerRaw(socket, toClientError(error.code));
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
export function refuseConnect(_request: IncomingMessage, socket: Duplex): void {
  answerRaw(
    socket,
    new MochiError('bad_request', 'This server is no proxy: send the request itself, without CONNECT.'),
  );
}

/** An answer where there is no request to answer, and the end of the connection. */
function answerRaw(socket: Duplex, error: MochiError): void {
  const body = JSON.stringify(envelope(error.toBody()));
  closeGently(
    socket,
    `HTTP/1.1 ${error.status} ${REASONS[error.status]}\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `x-request-id: ${randomHex(16)}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
}

/** The answer that a connection is busy with. Node keeps it there and offers no other way to it. */
function answerUnderWay(socket: Socket & { _httpMessage?: ServerResponse | null }): ServerResponse | null {
  const answer = socket._httpMessage ?? null;
  // A request whose own body is broken will not be answered.
  return answer !== null && (answer.req.complete || answer.headersSent) ? answer : null;
}

/** `Expect` with anything but 100-continue: Node would answer 417 without a body. */
export function refuseExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const known = new MochiError(
    'bad_request',
    'The Expect header asks for something that is not offered: leave it out.',
  );
  const body = JSON.stringify(envelope(known.toBody()));
  response.writeHead(known.status, {
    'content-length': Buffer.byteLength(body),
    'content-type': 'application/json; charset=utf-8',
    'x-request-id': randomHex(16),
    connection: 'close',
  });
  response.end(body);
}
