// What a person has said to a question of a tool.
import type { Approval } from '../../contract/approval.ts';
import type { ToolAnswer } from '../../tools/tool.ts';

/** @param approval undefined: it is gone */
export function toAnswer(approval: Approval | undefined): ToolAnswer {
  if (approval?.state === 'denied') return { action: 'decline' };
  const { content } = approval?.decision ?? {};
  if (approval?.state !== 'answered' || typeof content !== 'object' || content === null) {
    return { action: 'cancel' };
  }
  return { action: 'accept', content: { ...content } };
}
