// Requests that Node's parser refuses: they never reach a route, and still get the envelope.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type ErrorKindName, MochiError } from '../contract/errors.ts';
import { randomHex } from '../kit/ids.ts';
import { envelope } from './error-response.ts';

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  431: 'Request Header Fields Too Large',
};

export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const answering = answerUnderWay(socket);
  if (answering !== null) {
    // What follows a request does not spoil its answer: that one ends as it should, then the connection does.
    answering.shouldKeepAlive = false;
    answering.once('close', () => socket.destroy());
    return;
  }
  const kind: ErrorKindName = error.code === 'HPE_HEADER_OVERFLOW' ? 'headers_too_large' : 'bad_request';
  const known = new MochiError(
    kind,
    kind === 'bad_request' ? 'The request is not well-formed HTTP.' : 'The header fields are too large.',
  );
  const body = JSON.stringify(envelope(known.toBody()));
  socket.end(
    `HTTP/1.1 ${known.status} ${REASONS[known.status]}\r\ncontent-type: application/json; charset=utf-8\r\n` +
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
  const known = new MochiError('bad_request', 'The Expect header asks for something that is not offered.');
  const body = JSON.stringify(envelope(known.toBody()));
  response.writeHead(known.status, {
    'content-length': Buffer.byteLength(body),
    'content-type': 'application/json; charset=utf-8',
    'x-request-id': randomHex(16),
    connection: 'close',
  });
  response.end(body);
}
