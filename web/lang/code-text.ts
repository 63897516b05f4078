// The words for what the server tells by a code.

/** Why a call is asked about, by the name of the rule. */
export const RULES: Readonly<Record<string, string>> = {
  default: 'the settings of this chat',
  execution_policy: 'the settings of this chat',
  tool_policies: 'the settings of this chat for this tool',
  needs_approval: 'the tool itself',
  unknown_outcome: 'an earlier run whose end nobody knows',
};

/** What an answer failed at, by its code. */
export const FAULTS: Readonly<Record<string, string>> = {
  ollama_error: 'The model broke off with an error.',
  engine_failed: 'The model broke off with an error.',
  incomplete_response: 'The answer broke off in its middle.',
  ollama_unreachable: 'The engine that runs the models cannot be reached.',
  model_not_found: 'The model is not there any more. Choose another one above.',
  model_unusable: 'The model cannot chat. Choose another one above.',
  tool_loop_limit: 'The model asked for tools again and again without an answer.',
  tool_calls_unusable: 'The model asked for tools in a way that cannot be read.',
  invalid_structured_output: 'The answer is not of the form that was asked for.',
  session_save_error: 'The answer could not be stored.',
  internal_error: 'Something went wrong in the server.',
};
