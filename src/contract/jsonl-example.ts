// A small session as lines, for the description of the API.
import { JSONL_FORMAT } from './jsonl.ts';

export const EXAMPLE_LINES: readonly object[] = [
  {
    type: 'session',
    format: JSONL_FORMAT,
    session_id: 'b5a3d7e4c9',
    model: 'llama3.2:latest',
    created_at: '2026-02-15T09:49:00.000000Z',
    updated_at: '2026-02-15T09:49:38.310281Z',
    metadata: {},
    tool_settings: { tools: [], execution_policy: 'always_confirm', tool_policies: {} },
    agent_settings: { enabled_agents: [] },
    context_window: {
      dynamic_enabled: true,
      current_window: 8192,
      last_adjustment: 'initial_setup',
      adjustment_history: [],
      manual_override: false,
    },
    head: '194e786d07',
  },
  {
    type: 'message',
    message_id: '9191228aff',
    role: 'user',
    content: 'What is the capital of France?',
    timestamp: '2026-02-15T09:49:30.000000Z',
  },
  {
    type: 'message',
    message_id: '194e786d07',
    parent_id: '9191228aff',
    role: 'assistant',
    content: 'The capital of France is Paris.',
    timestamp: '2026-02-15T09:49:38.310281Z',
    model: 'llama3.2:latest',
    finish_reason: 'stop',
    turn_id: 'turn_0f3c5a9d21be',
  },
  {
    type: 'turn',
    turn_id: 'turn_0f3c5a9d21be',
    state: 'completed',
    created_at: '2026-02-15T09:49:30.000000Z',
    finished_at: '2026-02-15T09:49:38.310281Z',
    user_message_id: '9191228aff',
    message_id: '194e786d07',
  },
];
