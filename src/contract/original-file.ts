// The session file of the original server (ORIGINAL.md §11), as far as it is described: reading is more lenient.
import { Type } from 'typebox';

export const OriginalFile = Type.Unsafe<unknown>({
  $id: 'OriginalSessionFile',
  type: 'object',
  description:
    'Formats 1.0 to 1.4 are read, 1.4 is written: the active path. `title`, `client_metadata` and `partial_messages` in `metadata` are additions.',
  required: ['metadata'],
  additionalProperties: true,
  properties: {
    metadata: {
      type: 'object',
      required: ['model'],
      additionalProperties: true,
      properties: { session_id: { type: 'string' }, model: { type: 'string' } },
    },
    messages: { type: 'array', items: { type: 'object' } },
  },
  examples: [
    {
      metadata: {
        session_id: 'b5a3d7e4c9',
        model: 'llama3.2:latest',
        created_at: '2026-02-15T09:49:00.000000Z',
        updated_at: '2026-02-15T09:49:38.310281Z',
        message_count: 2,
        summary: null,
        summary_model: null,
        format_version: '1.4',
        tool_settings: { tools: [], execution_policy: 'always_confirm', tool_policies: {} },
        agent_settings: { enabled_agents: [] },
        context_window_config: {
          dynamic_enabled: true,
          current_window: 8192,
          last_adjustment: 'initial_setup',
          adjustment_history: [],
          manual_override: false,
        },
      },
      messages: [
        {
          role: 'user',
          content: 'What is the capital of France?',
          message_id: '9191228aff',
          timestamp: '2026-02-15T09:49:30.000000Z',
        },
        {
          role: 'assistant',
          content: 'The capital of France is Paris.',
          model: 'llama3.2:latest',
          eval_count: 7,
          prompt_eval_count: 31,
          thinking: null,
          tool_calls: null,
          message_id: '194e786d07',
          timestamp: '2026-02-15T09:49:38.310281Z',
        },
      ],
    },
  ],
});
