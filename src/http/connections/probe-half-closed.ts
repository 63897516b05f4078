// A client that said that it sends nothing more: it may wait for its answer, or it may be gone. Both look the same.
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Of streams whose head was sent at once: Node has no fields of theirs to be asked for. */
const streamTypes = new WeakMap<ServerResponse, string>();

export function noteStream(answer: ServerResponse, contentType: string): void {
  streamTypes.set(answer, contentType);
}

/** Most answers are sent by then. Whoever is gone is noticed at the second probe, at three times as much. */
const FIRST_PROBE_MS = 10;
const LONGEST_PAUSE_MS = 5000;

/**
 * Sends a few bytes without meaning now and then while an answer is under way. Whoever waits skips them; the system of
 * whoever is gone refuses them, which ends the connection at the next ones.
 * @param current the answer that is being sent or made
 */
export function probeHalfClosed(socket: Socket, current: () => ServerResponse | null): void {
  let pause = FIRST_PROBE_MS;
  const probe = () => {
    const answer = current();
    if (answer !== null) sendProbe(answer);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    timer = setTimeout(probe, pause);
  };
  let timer = setTimeout(probe, pause);
  socket.once('close', () => clearTimeout(timer));
}

function sendProbe(answer: ServerResponse): void {
  // Its last bytes are probe enough.
  if (answer.writableEnded) return;
  if (answer.headersSent) {
    const type = streamTypes.get(answer) ?? String(answer.getHeader('content-type'));
    const probe = probeOf(type, answer.hasHeader('content-length'));
    // In a full socket it would end up inside of a long frame.
    if (probe !== null && !answer.writableNeedDrain) answer.write(probe);
  } else if (answer.req.httpVersion !== '1.0') {
    // The interim answer that every client knows.
    answer.writeContinue();
  }
}

/** Of streams: a comment, or a blank before the next line of JSON. */
function probeOf(contentType: string, hasLength: boolean): string | null {
  if (contentType.startsWith('text/event-stream')) return ':\n\n';
  return contentType.startsWith('application/x-ndjson') && !hasLength ? ' ' : null;
}
