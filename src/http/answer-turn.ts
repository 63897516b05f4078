// The two ways in which the request that asked for a turn is answered: whole, or as a stream.
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { WatchableTurn } from '../chat/watch/live-turn.ts';
import type { ApprovalPolicy, DisconnectPolicy } from '../contract/chat.ts';
import { invalidField } from '../contract/errors.ts';
import { OVER } from '../kit/over.ts';
import { listUndecided } from '../store/undecided.ts';
import type { AppDeps } from './app-deps.ts';
import { sendEvents } from './event-stream.ts';
import { foldAnswer } from './fold-answer.ts';
import { addressOf } from './forwarded-prefix.ts';

interface Policies {
  readonly onApproval: ApprovalPolicy;
  /** Undefined: as is usual for the way. */
  readonly onDisconnect: DisconnectPolicy | undefined;
}

/** @returns what the route is to answer. @throws MochiError for what became of the turn */
export async function answerWhole(
  db: AppDeps['db'],
  turn: WatchableTurn,
  { onApproval, onDisconnect = 'continue' }: Policies,
  reply: FastifyReply,
): Promise<unknown> {
  nameTurn(reply, turn);
  const connection = turn.hold(onDisconnect);
  const left = new AbortController();
  const onClose = () => {
    if (!left.signal.aborted) connection.release();
    left.abort(OVER);
  };
  reply.raw.once('close', onClose);
  // It may have left while the turn was being accepted.
  if (reply.request.raw.socket.destroyed) onClose();
  try {
    const { signal } = left;
    const answer = await foldAnswer(turn, { returns: onApproval === 'return', signal });
    if (answer === 'left') return reply.hijack();
    if (answer !== 'waiting') return answer;
    connection.end();
    const { turnId: turn_id, sessionId: session_id } = turn;
    const approvals = (await listUndecided(db, [turn_id])).get(turn_id) ?? [];
    return reply.code(202).send({ session_id, turn_id, state: 'waiting', approvals });
  } finally {
    reply.raw.off('close', onClose);
  }
}

export const FollowQuery = Type.Object({
  follow: Type.Optional(
    Type.Boolean({ description: 'false: what there is, and then the end of the stream.' }),
  ),
});

interface StreamPolicies {
  /** Undefined: as is usual. */
  readonly onDisconnect: DisconnectPolicy | undefined;
  /** To the end of the turn. */
  readonly follows: boolean;
}

/** @throws MochiError validation_error for what makes no sense of a stream */
export function streamPolicies(
  body: { readonly on_approval?: ApprovalPolicy; readonly on_disconnect?: DisconnectPolicy },
  { follow: follows = true }: { readonly follow?: boolean },
): StreamPolicies {
  if (body.on_approval === 'return') {
    throw invalidField('/on_approval', 'must not be "return": a stream waits, or fails');
  }
  if (!follows && body.on_disconnect === 'cancel') {
    throw invalidField(
      '/on_disconnect',
      'must not be cancel beside follow=false: the stream ends before the turn',
    );
  }
  return { onDisconnect: body.on_disconnect, follows };
}

/** Until the turn has ended, or its reader has left; or, where it does not follow, until what there is has been sent. */
export function answerStream(
  turn: WatchableTurn,
  reply: FastifyReply,
  { onDisconnect, follows }: StreamPolicies,
): void {
  nameTurn(reply, turn);
  const sent = sendEvents(reply, turn, { after: 0, reach: follows ? 'end' : 'there' });
  const connection = turn.hold(onDisconnect ?? (follows ? 'cancel' : 'continue'));
  void sent.then((hasStayed) => {
    if (!hasStayed) connection.release();
    else if (!follows) connection.end();
  });
}

function nameTurn(reply: FastifyReply, turn: WatchableTurn): void {
  const location = addressOf(reply.request, `/api/v1/turns/${turn.turnId}`);
  void reply.header('location', location).header('x-turn-id', turn.turnId);
}
