// Ids in paths: checked once, here, before they reach anything.
import type { IncomingHttpHeaders } from 'node:http';
import { Type } from 'typebox';
import { invalidField, MochiError } from '../contract/errors.ts';
import { ID_PATTERN } from '../contract/schema.ts';
import { cutText } from '../kit/whole-characters.ts';

export const SessionParams = Type.Object({
  session_id: Type.String({ description: 'Id of the session.', examples: ['b5a3d7e4c9'] }),
});

export const MessageParams = Type.Object({
  ...SessionParams.properties,
  message_id: Type.String({ description: 'Id of the message.', examples: ['194e786d07'] }),
});

export const TurnParams = Type.Object({
  turn_id: Type.String({ description: 'Id of the turn.', examples: ['turn_0f3c5a9d21be'] }),
});

export const WaitQuery = Type.Object({
  wait: Type.Optional(Type.Boolean({ description: 'true: answer when the turn has stopped.' })),
});

export const IdempotencyHeader = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      description:
        'A repeated request with this key joins the same turn, for 24 hours. Its body must be the same, but for `on_disconnect`.',
    }),
  ),
});

/** @throws MochiError turn_not_found for what cannot be the id of anything */
export function turnIdOf({ turn_id: turnId }: { readonly turn_id: string }): string {
  if (ID_PATTERN.test(turnId)) return turnId;
  throw new MochiError('turn_not_found', 'There is no turn with this id.', { turn_id: cutText(turnId, 64) });
}

/** @throws MochiError session_not_found for what cannot be the id of anything */
export function sessionIdOf({ session_id: sessionId }: { readonly session_id: string }): string {
  if (ID_PATTERN.test(sessionId)) return sessionId;
  throw new MochiError('session_not_found', 'There is no session with this id.', {
    session_id: cutText(sessionId, 64),
  });
}

/** Printable ASCII, so that a key is the same key wherever it is compared. */
const KEY_PATTERN = /^[\x21-\x7e]{1,255}$/;

/** @throws MochiError validation_error */
export function idempotencyKeyOf(headers: IncomingHttpHeaders): string | null {
  const key = headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && KEY_PATTERN.test(key)) return key;
  throw invalidField(
    '/headers/idempotency-key',
    'must be 1 to 255 printable ASCII characters without blanks',
  );
}

/** The number after which a watcher goes on: the larger of the header and the query; 0: neither is given. */
export function lastSeenEvent(headers: IncomingHttpHeaders, after: number | undefined): number {
  const header = headers['last-event-id'];
  // What no event of ours was ever called is no event that was seen.
  const seen = typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : 0;
  return Math.max(seen, after ?? 0);
}
