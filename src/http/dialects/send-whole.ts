// The plain answer of a dialect: one piece of JSON, whose status is true, however long it takes.
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { DisconnectPolicy } from '../../contract/chat.ts';
import type { ErrorBody } from '../../contract/errors.ts';
import type { ToldWhole, TurnAnswer } from '../../dialects/dialect.ts';
import { toMochiError } from '../fold-answer.ts';
import { leftSignal, openStream, PING_INTERVAL_MS } from '../open-stream.ts';
import { nameContext, nameTurn } from './turn-head.ts';

/** Clients give up on a head that does not come: Node's after five minutes. */
const HEAD_WAIT_MS = 120_000;

/**
 * @returns what the route is to answer
 * @throws MochiError what the turn failed with, where nothing was sent
 */
export async function sendWhole(
  reply: FastifyReply,
  answer: TurnAnswer,
  { reader }: ToldWhole,
  onDisconnect: DisconnectPolicy,
): Promise<unknown> {
  const { turn } = answer;
  nameTurn(reply, answer);
  const left = leftSignal(reply);
  const connection = turn.hold(onDisconnect);
  const head = holdHead(reply);
  let failure: ErrorBody | null = null;
  let isComplete = false;
  try {
    for await (const batch of turn.watch(0, left)) {
      for (const told of batch) {
        reader.read(told);
        const { event } = told;
        if (event.event === 'context' && head.raw === null) nameContext(reply, event.data);
        if (event.event === 'error') failure = event.data;
        if (event.event === 'message_complete') isComplete = true;
      }
    }
  } finally {
    head.stop();
    if (left.aborted) connection.release();
    else connection.end();
  }
  if (left.aborted) return reply.hijack();
  const { raw } = head;
  if (isComplete && raw === null) return reader.answer();
  if (isComplete) raw?.end(JSON.stringify(reader.answer()));
  else if (raw === null) throw toMochiError(failure);
  // A 200 was said: that it broke off is true, at least.
  else raw.destroy();
  return reply;
}

/** Says 200 when it takes too long, and then a blank now and then, which JSON allows. */
function holdHead(reply: FastifyReply): { readonly raw: ServerResponse | null; stop(): void } {
  let raw: ServerResponse | null = null;
  let blanks: NodeJS.Timeout | undefined;
  const patience = setTimeout(() => {
    if (reply.raw.destroyed) return;
    raw = openStream(reply, 'application/json; charset=utf-8');
    raw.write(' ');
    blanks = setInterval(() => raw?.write(' '), PING_INTERVAL_MS);
  }, HEAD_WAIT_MS);
  return {
    get raw() {
      return raw;
    },
    stop() {
      clearTimeout(patience);
      clearInterval(blanks);
    },
  };
}
