// An answer that is none: it is let go, and the model is asked once more, without tools.
import type { EngineUsage } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
import { moveHead } from '../../store/active-path.ts';
import { deleteMessage } from '../../store/messages.ts';
import { findSession } from '../../store/sessions.ts';
import { changeTurn } from '../../store/tenure.ts';
import type { TurnDeps } from '../turn-deps.ts';
import type { Draft } from './draft.ts';
import { addUsage } from './measure-call.ts';
import type { TurnProgress } from './turn-progress.ts';

/** Small models often fall silent when the results are there. */
const NUDGE = 'Answer now, from the results above.';

/**
 * A text that is not in the format that was asked for beside tools, or silence right after a round. What the model said
 * goes; what it cost stays.
 * @returns whether it is to be asked again: once in a turn
 * @throws MochiError invalid_structured_output where it had to call a tool
 */
export async function askAgain(
  deps: TurnDeps,
  progress: TurnProgress,
  { usage, isAfterRound }: { readonly usage: EngineUsage; readonly isAfterRound: boolean },
): Promise<boolean> {
  const { draft, plan } = progress;
  // Without tools it was asked already, or there is nothing to leave out.
  if (draft === null || plan === null || plan.tools.length === 0) return false;
  if (plan.forced.length > 0) throw uncalled(draft);
  const isSilent =
    isAfterRound && !draft.isUnfit && draft.content.trim() === '' && draft.finishReason !== 'length';
  if (!draft.isUnfit && !isSilent) return false;
  const { sessionId, messageId, parent } = draft.options;
  if (draft.place !== null) {
    // Its thoughts were stored.
    await changeTurn(deps.db, draft.options, async (db) => {
      const session = await findSession(db, sessionId);
      await moveHead(db, sessionId, parent, session?.updated_at ?? deps.now());
      await deleteMessage(db, sessionId, messageId);
    });
  }
  progress.draft = null;
  progress.usage = addUsage(progress.usage, usage);
  progress.offer = { ...progress.offer, tools: [] };
  progress.nudge = isSilent ? NUDGE : null;
  return true;
}

function uncalled({ finishReason }: Draft): MochiError {
  const why = finishReason === 'length' ? 'was cut before its end' : 'is no call of it';
  return new MochiError(
    'invalid_structured_output',
    `The model had to call a tool (tool_choice), and what it wrote ${why}.`,
    { finish_reason: finishReason },
  );
}
