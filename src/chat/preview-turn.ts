// What a chat request would send to the engine: planned like its turn, in a transaction that is rolled back.
import type { ChatPreview } from '../contract/chat.ts';
import { beginTurn } from './begin-turn.ts';
import { checkRequest } from './check-request.ts';
import { offerTools } from './offer-tools.ts';
import { planPrompt } from './prompt/plan-prompt.ts';
import { toEngineRequest } from './step/call-model.ts';
import type { TurnDeps } from './turn-deps.ts';
import { type TurnRequest, toQueuedMessage } from './turn-request.ts';

/**
 * Starts no model call and leaves nothing behind: the message is put on the path, the prompt is planned, and
 * the transaction is taken back.
 * @throws MochiError for whatever the chat would be refused for
 */
export async function previewTurn(
  deps: TurnDeps,
  sessionId: string,
  given: TurnRequest,
): Promise<ChatPreview> {
  const checked = await checkRequest(deps, sessionId, given);
  const { request } = checked;
  const { signal } = new AbortController();
  const offer = await offerTools(deps, { ...checked, signal });
  const transaction = await deps.db.startTransaction().execute();
  try {
    const beginning = await beginTurn(
      { ...deps, db: transaction },
      {
        sessionId,
        turnId: 'preview',
        request,
        message: toQueuedMessage(deps, request),
        isPromised: false,
      },
    );
    const { session, tip } = beginning;
    const { model } = checked;
    const { promptMark: before } = session;
    const question = { session, model, request, tip, offer, before, reason: null, ratio: null };
    const plan = await planPrompt({ ...deps, db: transaction }, question);
    return {
      session_id: sessionId,
      engine_request: deps.engine.describe(toEngineRequest({ session, request, model }, plan)),
      context: plan.receipt,
      would_reload: plan.receipt.reload_expected,
      would_leave_out: plan.receipt.messages_left_out,
    };
  } finally {
    await transaction.rollback().execute();
  }
}
