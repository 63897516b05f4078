// A question of a tool, as an approval.
import type { NewApproval } from '../../approvals/draft-approval.ts';
import type { ToolQuestion } from '../../tools/tool.ts';
import type { CallToRun } from './read-round.ts';
import type { RunningTurn } from './turn-progress.ts';

export interface QuestionedCall {
  /** Of the assistant message with the call. */
  readonly messageId: string;
  readonly planned: CallToRun;
}

export function questionDraft(
  { live, person }: RunningTurn,
  { messageId, planned }: QuestionedCall,
  question: ToolQuestion,
): NewApproval {
  const { tool, arguments: args, digest } = planned.plan.ready;
  return {
    kind: 'question',
    ...person,
    turnId: live.turnId,
    messageId,
    callIndex: planned.callIndex,
    toolCallId: planned.call.id,
    toolName: planned.name,
    arguments: args,
    digest,
    fingerprint: tool.fingerprint,
    rule: 'question',
    question: { ...question, schema: { ...question.schema } },
  };
}
