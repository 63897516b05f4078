// Ids in paths: checked once, here, before they reach anything.
import { Type } from 'typebox';
import { MochiError } from '../contract/errors.ts';
import { ID_PATTERN } from '../contract/schema.ts';

export const SessionParams = Type.Object({
  session_id: Type.String({ description: 'Id of the session.', examples: ['b5a3d7e4c9'] }),
});

export const TurnParams = Type.Object({
  turn_id: Type.String({ description: 'Id of the turn.', examples: ['turn_0f3c5a9d21be'] }),
});

/** @throws MochiError turn_not_found for what cannot be the id of anything */
export function turnIdOf({ turn_id: turnId }: { readonly turn_id: string }): string {
  if (ID_PATTERN.test(turnId)) return turnId;
  throw new MochiError('turn_not_found', 'There is no turn with this id.', { turn_id: turnId.slice(0, 64) });
}

/** @throws MochiError session_not_found for what cannot be the id of anything */
export function sessionIdOf({ session_id: sessionId }: { readonly session_id: string }): string {
  if (ID_PATTERN.test(sessionId)) return sessionId;
  throw new MochiError('session_not_found', 'There is no session with this id.', {
    session_id: sessionId.slice(0, 64),
  });
}
