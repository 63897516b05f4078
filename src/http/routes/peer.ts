// What other instances of the server ask: not for clients, and in no document.
import { createHash, timingSafeEqual } from 'node:crypto';
import { Type } from 'typebox';
import { MochiError } from '../../contract/errors.ts';
import { PEER_PATH } from '../access.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { leftSignal, openStream, taken } from '../open-stream.ts';
import { TurnParams, turnIdOf } from '../params.ts';

const PeerQuery = Type.Object({ after: Type.Optional(Type.Integer({ minimum: 0 })) });

export function peerRoutes(app: App, { turns, peers }: AppDeps): void {
  if (peers === null) return;
  app.get(
    PEER_PATH,
    { exposeHeadRoute: false, schema: { hide: true, params: TurnParams, querystring: PeerQuery } },
    async ({ params, query, headers }, reply) => {
      if (!isSame(headers.authorization ?? '', `Bearer ${await peers.secret()}`)) {
        throw new MochiError('unauthorized', 'Only other instances of the server are told this.');
      }
      const protocol = Number(headers[peers.protocolHeader] ?? 0);
      if (!(protocol <= peers.protocol)) return reply.code(426).send({ protocol: peers.protocol });
      const turnId = turnIdOf(params);
      const live = turns.house.registry.find(turnId);
      if (live === null || live.isPassing) {
        throw new MochiError('turn_not_found', `Turn ${turnId} is not driven here.`, { turn_id: turnId });
      }
      const left = leftSignal(reply);
      const batches = live.watch(query.after ?? 0, left);
      const raw = openStream(reply, 'application/x-ndjson');
      // Who waits for the next event sees that there is somebody.
      const sign = setInterval(() => {
        if (!raw.writableNeedDrain) raw.write('\n');
      }, peers.signMs);
      try {
        for await (const batch of batches) {
          if (!raw.write(`${JSON.stringify(batch)}\n`)) await taken(raw, 'drain', left);
          if (left.aborted) return reply;
        }
        raw.end();
      } finally {
        clearInterval(sign);
      }
      return reply;
    },
  );
}

function isSame(given: string, expected: string): boolean {
  const [one, other] = [given, expected].map((text) => createHash('sha256').update(text).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}
