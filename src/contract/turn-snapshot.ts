// Snapshot: the state of a turn at one event, for a watcher who cannot have the events before it any more.
import { type Static, Type } from 'typebox';
import { AnswerMessage } from './chat.ts';
import { MESSAGE_STATUSES } from './message.ts';
import { FreeObject, nullable, nullableRef, oneOf, ref } from './schema.ts';
import { Turn, UndecidedApprovals } from './turn.ts';

export const SnapshotMessage = Type.Object(
  { ...AnswerMessage.properties, status: oneOf(MESSAGE_STATUSES) },
  { $id: 'SnapshotMessage' },
);
export type SnapshotMessage = Static<typeof SnapshotMessage>;

export const SnapshotToolCall = Type.Object(
  {
    tool_name: Type.String(),
    tool_call_id: Type.String(),
    call_index: Type.Integer(),
    arguments: FreeObject,
    success: nullable(Type.Boolean({ description: 'Null while there is no result.' })),
    result: nullable(Type.String()),
    runs_at: Type.Optional(Type.Literal('client')),
  },
  { $id: 'SnapshotToolCall' },
);
export type SnapshotToolCall = Static<typeof SnapshotToolCall>;

export const TurnSnapshot = Type.Object(
  {
    turn: ref(Turn),
    message: nullableRef(SnapshotMessage),
    tool_calls: Type.Array(ref(SnapshotToolCall)),
    approvals: UndecidedApprovals,
  },
  { $id: 'TurnSnapshot' },
);
export type TurnSnapshot = Static<typeof TurnSnapshot>;
