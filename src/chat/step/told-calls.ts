// How calls and their results are told. Where a person was asked, the question stands in the place of the call.
import type { Approval } from '../../contract/approval.ts';
import type { TurnEvent } from '../../contract/turn-event.ts';
import { cutText } from '../../kit/whole-characters.ts';
import type { RoundCall } from './read-round.ts';
import { nameOf } from './run-call.ts';
import type { Settled } from './store-results.ts';

/** Of edited arguments, as JSON, in what the model reads. */
const NOTED = 2000;

/** A person has to decide about a call, or to answer a question of it. */
export function questionEvent(
  planned: Pick<RoundCall, 'call' | 'callIndex' | 'name'>,
  asked: Approval,
): TurnEvent {
  return {
    event: 'tool_call_confirmation_required',
    data: {
      ...nameOf(planned),
      execution_id: null,
      confirmation_id: asked.confirmation_id,
      arguments: { ...asked.arguments },
      kind: asked.kind,
      rule: asked.rule,
      digest: asked.digest,
      expires_at: asked.expires_at,
      agent_name: asked.agent_name,
      agent_session_id: asked.agent_session_id,
    },
  };
}

export function callEvent(planned: RoundCall, executionId: string | null): TurnEvent {
  const data = { ...nameOf(planned), execution_id: executionId, arguments: { ...planned.arguments } };
  return { event: 'tool_call', data };
}

/**
 * The result, with the call before it where nothing else has told of it. What was decided before its turn came, and did
 * not run, is told by its result alone.
 * @param askedIndex of the call that was asked about last
 */
export function resultEvents(
  { planned, result, execution }: Settled,
  askedIndex: number | null,
): TurnEvent[] {
  const { approval, callIndex } = planned;
  const { success, text } = result;
  const error = success ? null : text;
  const isUntold = approval !== null && execution === null && callIndex !== askedIndex;
  const event: TurnEvent = {
    event: 'tool_result',
    data: {
      ...nameOf(planned),
      execution_id: execution?.id ?? null,
      success,
      result: success ? text : '',
      error,
      error_message: error,
      ...((isUntold || planned.isEdited) && { arguments: { ...planned.arguments } }),
    },
  };
  return approval === null && execution === null ? [callEvent(planned, null), event] : [event];
}

/** What the model is told where a person has changed the arguments; null: nobody has. */
export function editNote(planned: RoundCall): string | null {
  if (!planned.isEdited) return null;
  return `Note: the user changed the arguments to ${cutText(JSON.stringify(planned.arguments), NOTED)}.`;
}
