// A call that needs an approval, which cannot be asked for yet: it is answered, and says how it can be allowed.
import { type CallResult, failure } from './call-result.ts';

export function answerUnapproved(name: string): CallResult {
  return failure(
    `Tool '${name}' was not run: it needs an approval, which this version cannot ask for. The user can allow it: in the tool settings of the session (execution_policy "never_confirm", or tool_policies for this tool alone), or with a rule in the operator's tool policy (allow).`,
  );
}
