// What happens on the server, for whoever shows more than one conversation: one stream, and never a word of a message.
import { type Static, type TSchema, Type } from 'typebox';
import { Approval } from './approval.ts';
import { APPROVAL_EXAMPLE } from './approval-event.ts';
import { eventUnion, nullable, oneOf, pascal, ref, Timestamp } from './schema.ts';
import { TURN_STATES } from './turn.ts';

export const SERVER_EVENT_EXAMPLES = {
  hello: { version: '0.2.0' },
  reset: {},
  session: {
    session_id: 'b5a3d7e4c9',
    title: 'Capitals',
    updated_at: '2026-02-15T09:49:38.310281Z',
    message_count: 2,
    active_turn: null,
    deleted: false,
  },
  turn: { turn_id: 'turn_0f3c5a9d21be', session_id: 'b5a3d7e4c9', state: 'running' },
  approval: APPROVAL_EXAMPLE,
  pull: { name: 'qwen3-0.6b', completed: 1_048_576, total: 639_446_688, state: 'running' },
} as const;

function event<const Name extends keyof typeof SERVER_EVENT_EXAMPLES, T extends TSchema>(
  name: Name,
  data: T,
  description: string,
) {
  const examples = [{ event: name, data: SERVER_EVENT_EXAMPLES[name] }];
  return Type.Object(
    { event: Type.Literal(name), data },
    { $id: `Server${pascal(name)}Event`, description, examples },
  );
}

const Bytes = nullable(Type.Integer({ description: 'Bytes; null where the engine does not say.' }));

const PULL_STATES = ['running', 'completed', 'failed', 'cancelled'] as const;

export const PullState = Type.Object(
  {
    name: Type.String({ description: 'As it was asked for.' }),
    completed: Bytes,
    total: Bytes,
    state: oneOf(PULL_STATES),
  },
  { $id: 'PullState', examples: [SERVER_EVENT_EXAMPLES.pull] },
);
export type PullState = Static<typeof PullState>;

/** Every event by name. */
export const SERVER_EVENTS = {
  hello: event('hello', Type.Object({ version: Type.String() }), 'First, on every connection.'),
  reset: event(
    'reset',
    Type.Object({}),
    'What was missed cannot be told any more: read `GET /sessions` and `GET /approvals` anew. Goes on from here.',
  ),
  session: event(
    'session',
    Type.Object({
      session_id: Type.String(),
      title: nullable(Type.String()),
      updated_at: nullable(Timestamp),
      message_count: Type.Integer(),
      active_turn: nullable(Type.String()),
      deleted: Type.Boolean({ description: 'true: it is gone, and the other members say nothing.' }),
    }),
    'A session is new, changed or deleted: as `GET /sessions` lists it now.',
  ),
  turn: event(
    'turn',
    Type.Object({ turn_id: Type.String(), session_id: Type.String(), state: oneOf(TURN_STATES) }),
    'A turn has come to another state.',
  ),
  approval: event('approval', ref(Approval), 'An approval as it is now: asked, or changed.'),
  pull: event(
    'pull',
    ref(PullState),
    'The fetching of a model has begun, has come further, or has ended; also told of those under way to whoever begins to listen.',
  ),
} as const;

/** One of them. */
export const ServerEventSchema = eventUnion('ServerEvent', SERVER_EVENTS);
export type ServerEvent = Static<(typeof SERVER_EVENTS)[keyof typeof SERVER_EVENTS]>;
