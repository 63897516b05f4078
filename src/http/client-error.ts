// Requests that Node's parser refuses: they never reach a route, and still get the envelope.
import type { Socket } from 'node:net';
import { type ErrorKindName, MochiError } from '../contract/errors.ts';
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
  const kind: ErrorKindName = error.code === 'HPE_HEADER_OVERFLOW' ? 'headers_too_large' : 'bad_request';
  const known = new MochiError(
    kind,
    kind === 'bad_request' ? 'The request is not well-formed HTTP.' : 'The header fields are too large.',
  );
  const body = JSON.stringify(envelope(known.toBody()));
  socket.end(
    `HTTP/1.1 ${known.status} ${REASONS[known.status]}\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
