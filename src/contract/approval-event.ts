// The stream of approvals: what it tells, and an example of it.
import { Type } from 'typebox';
import { Approval } from './approval.ts';
import { eventUnion, ref } from './schema.ts';

export const APPROVAL_EXAMPLE: Approval = {
  confirmation_id: 'conf_3f0a9c1d77be',
  kind: 'tool',
  state: 'pending',
  session_id: 'b5a3d7e4c9',
  turn_id: 'turn_0f3c5a9d21be',
  message_id: '194e786d07',
  call_index: 0,
  tool_call_id: 'call_ab12cd34',
  tool_name: 'delete_file',
  agent_name: null,
  agent_session_id: null,
  arguments: { path: 'draft.txt' },
  input_schema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
  digest: '9b2d6c0f4e1a7385c6d9f0b1a2e3d4c5f60718293a4b5c6d7e8f90a1b2c3d4e5',
  rule: 'execution_policy',
  question: null,
  plan: null,
  previous: null,
  allowed_decisions: ['approve', 'edit', 'respond', 'deny'],
  allowed_scopes: ['once', 'session', 'always'],
  created_at: '2026-02-15T09:49:38.310281Z',
  expires_at: null,
  decided_at: null,
  decision: null,
};

const examples = [{ event: 'approval', data: APPROVAL_EXAMPLE }];

/** Every event by name: there is one. */
export const APPROVAL_EVENTS = {
  approval: Type.Object(
    { event: Type.Literal('approval'), data: ref(Approval) },
    { $id: 'ApprovalChangedEvent', description: 'An approval as it is now: asked, or changed.', examples },
  ),
} as const;

export const ApprovalEvent = eventUnion('ApprovalEvent', APPROVAL_EVENTS);
