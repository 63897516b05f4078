// The original's way to decide: yes or no, once, within the session that asked.
import type { ToolConfirmed } from '../contract/approval.ts';
import { MochiError } from '../contract/errors.ts';
import { cutText } from '../kit/whole-characters.ts';
import type { Approvals, DecisionOrigin } from './approvals.ts';

export interface ToolConfirmation {
  readonly sessionId: string;
  readonly confirmationId: string;
  readonly isApproved: boolean;
}

/**
 * @throws MochiError confirmation_not_found for what is unknown, of another session, settled or too old;
 * approval_changed; tool_execution_denied; decision_not_allowed for what needs more than a yes
 */
export async function confirmTool(
  approvals: Approvals,
  { sessionId, confirmationId, isApproved }: ToolConfirmation,
  origin: DecisionOrigin,
): Promise<ToolConfirmed> {
  const { session_id, kind, tool_name } = await approvals.find(confirmationId);
  if (session_id !== sessionId) throw notFound(confirmationId);
  const yes = kind === 'outcome' ? 'retry' : 'approve';
  const decision = isApproved ? yes : 'deny';
  try {
    await approvals.decide([{ confirmation_id: confirmationId, decision }], origin);
  } catch (error) {
    if (error instanceof MochiError && GONE.has(error.kind)) throw notFound(confirmationId);
    throw error;
  }
  const name = tool_name ?? '';
  const word = isApproved ? 'approved' : 'denied';
  return { success: true, tool_name: name, message: `Tool '${name}' execution ${word}` };
}

const GONE = new Set(['approval_decided', 'approval_expired']);

function notFound(confirmationId: string): MochiError {
  const shown = cutText(confirmationId, 64);
  return new MochiError('confirmation_not_found', `Nothing waits for a confirmation ${shown}.`, {
    confirmation_id: shown,
  });
}
