// Changes of approvals sent to a reader, as fast as it reads.
import type { FastifyReply } from 'fastify';
import { APPROVAL_EXAMPLE, ApprovalEvent } from '../contract/approval-event.ts';
import type { StoredApproval } from '../store/approvals.ts';
import { framesOf } from './document.ts';
import { eventFrame } from './frames.ts';
import { leftSignal, openStream, pingRegularly, taken } from './open-stream.ts';

type Changes = AsyncIterable<readonly StoredApproval[]>;

/** Until the reader is gone, or there are no more. @throws what `watch` throws: before the first byte */
export async function sendApprovals(
  reply: FastifyReply,
  watch: (left: AbortSignal) => Changes,
): Promise<void> {
  const left = leftSignal(reply);
  const changes = watch(left);
  const raw = openStream(reply);
  // There may be nothing to tell for days; that it is listened to is told at once.
  raw.flushHeaders();
  const ping = pingRegularly(raw);
  try {
    for await (const batch of changes) {
      for (const { change, approval } of batch) {
        if (!raw.write(eventFrame(change, 'approval', approval))) await taken(raw, 'drain', left);
        if (left.aborted) return;
      }
      ping.refresh();
    }
  } finally {
    clearInterval(ping);
  }
  raw.end();
}

/** The stream as the OpenAPI document shows it. */
export const APPROVAL_STREAM_ANSWER = {
  description:
    'Frames: `id: <n>`, `event: approval`, `data: {the approval, as one line of JSON}`. The id counts changes: `Last-Event-ID` goes on after it, also when the server was started anew. An approval that changed twice in between is told once, as it is.',
  content: {
    'text/event-stream': {
      schema: framesOf(ApprovalEvent),
      example: eventFrame(7, 'approval', APPROVAL_EXAMPLE),
    },
  },
};
