// What can be said of a chat request before anything of it is stored.
import type { EngineModel } from '../contract/engine.ts';
import { invalidField } from '../contract/errors.ts';
import { requireHeadedSession, requireSession, sessionNotFound } from '../sessions/require.ts';
import { dialectOf } from '../store/dialect/dialect-of.ts';
import type { PathMessage } from '../store/messages.ts';
import type { PathPlace } from '../store/path-place.ts';
import type { HeadedSession } from '../store/session-head.ts';
import type { StoredSession } from '../store/sessions.ts';
import { ClientToolFault, registerClientTools } from '../tools/client-tools.ts';
import { addSizes, NO_SIZE, sizeOf } from '../window/estimate.ts';
import { findTip, headOf } from './begin-turn.ts';
import { checkResults } from './client-results.ts';
import { offerNow } from './offer-tools.ts';
import { checkFits } from './prompt/check-fits.ts';
import { findReplaced, questionOf } from './replaced-message.ts';
import { renewModel, requireTools, requireVision } from './step/renew-model.ts';
import { checkFormat } from './step/structured-output.ts';
import type { TurnDeps } from './turn-deps.ts';
import type { PlacedHistory, TurnRequest } from './turn-request.ts';

export interface CheckedRequest {
  readonly session: StoredSession;
  /** With the end of its path, where that costs nothing more; else null. */
  readonly seen: HeadedSession | null;
  /** Null when the engine could not be asked about it. */
  readonly model: EngineModel | null;
  /** With the images of the message that it replaces, where it keeps them. */
  readonly request: TurnRequest;
}

/**
 * @throws MochiError session_not_found, message_not_found, validation_error, images_not_supported, empty_history,
 *   tools_not_supported, context_overflow
 */
export async function checkRequest(
  deps: TurnDeps,
  sessionId: string,
  given: TurnRequest,
): Promise<CheckedRequest> {
  if (given.format !== null) checkFormat(given.format);
  const seen = dialectOf(deps.db).name === 'postgres' ? await requireHeadedSession(deps.db, sessionId) : null;
  const session = seen?.session ?? (await requireSession(deps.db, sessionId));
  if (session.kind === 'agent') throw sessionNotFound(sessionId);
  checkImages(given);
  await checkTools(given);
  await checkResults(deps.db, sessionId, given);
  const old = await findReplaced(deps.db, sessionId, given);
  const request = given.replaces?.keepsImages === true ? { ...given, images: old?.images ?? [] } : given;
  const model = await checkWithModel(deps, session.model, (known) =>
    checkModel(deps, { session, model: known, request }, old),
  );
  return { session, seen, model, request };
}

/** @returns what the name stands for; null when the engine could not be asked. @throws what `check` throws */
export async function checkWithModel(
  deps: TurnDeps,
  name: string,
  check: (model: EngineModel | null) => Promise<void>,
): Promise<EngineModel | null> {
  const model = await recallModel(deps, name);
  try {
    await check(model);
    return model;
  } catch (refusal) {
    // The name may stand for another model by now.
    const renewed = await renewModel(deps, name, model);
    if (renewed === null) throw refusal;
    await check(renewed);
    return renewed;
  }
}

/** Whether this model can do what is asked of it. */
async function checkModel(
  deps: TurnDeps,
  { session, model, request }: Omit<CheckedRequest, 'seen'>,
  old: PathMessage | null,
): Promise<void> {
  requireVision(request, model, session.model);
  requireTools(request, model, session.model);
  if (request.placed !== undefined) {
    await checkPlaced(deps, { session, model, request }, request.placed);
    return;
  }
  // What a busy session will have to answer is known when its turn has come.
  const { message, toolResults } = request;
  if (message === null && session.active_turn !== null) return;
  // On another branch it had room when it was asked.
  if (message === null && old?.active === false) return;
  const tip = message === null ? await findQuestion(deps, session, { request, old }) : null;
  const results = toolResults.reduce((sum, { content }) => addSizes(sum, sizeOf({ content })), NO_SIZE);
  const offer = await offerNow(deps, session, request);
  await checkFits(deps, { session, model, request, tip, offer, results });
}

/** Its newest exchange has to fit, wherever it goes. */
async function checkPlaced(
  deps: TurnDeps,
  { session, model, request }: Omit<CheckedRequest, 'seen'>,
  { messages, system }: PlacedHistory,
): Promise<void> {
  const start = messages.findLastIndex(({ role }) => role === 'user');
  const newest = messages.slice(Math.max(start, 0));
  const results = newest.reduce((sum, { toolCalls = [], images = [], ...message }, index) => {
    const seen = index === 0 && start !== -1 ? [] : images;
    return addSizes(
      sum,
      sizeOf({ ...message, images: seen, tool_calls: toolCalls.length > 0 ? toolCalls : null }),
    );
  }, NO_SIZE);
  const offer = await offerNow(deps, session, request);
  const question = { session, model, request, tip: null, offer, results };
  await checkFits(deps, { ...question, ...(system !== null && { system }) });
}

/** The message that an answer is wanted for. @throws MochiError empty_history */
async function findQuestion(
  { db }: TurnDeps,
  session: StoredSession,
  { request, old }: { readonly request: TurnRequest; readonly old: PathMessage | null },
): Promise<PathPlace | null> {
  if (request.toolResults.length > 0) return headOf(session);
  return old === null ? findTip(db, session, request.mode) : questionOf(session.session_id, old);
}

/** An engine that is down is the turn's business: the message must be stored all the same. */
export function recallModel(deps: TurnDeps, name: string): Promise<EngineModel | null> {
  return deps.engine.recallModel(name).catch(() => null);
}

/** @throws MochiError validation_error */
async function checkTools({ clientTools }: TurnRequest): Promise<void> {
  const names = new Set<string>();
  for (const [index, { name, inputSchema }] of clientTools.entries()) {
    if (names.has(name)) throw invalidField(`/tools/${index}/name`, 'must not be that of another tool');
    names.add(name);
    const { type = 'object' } = inputSchema;
    if (type !== 'object') {
      throw invalidField(`/tools/${index}/parameters`, 'must be a JSON Schema of an object');
    }
  }
  try {
    await registerClientTools(clientTools);
  } catch (error) {
    if (!(error instanceof ClientToolFault)) throw error;
    throw invalidField(`/tools/${error.index}/parameters`, `cannot be used: ${error.message}`);
  }
}

function checkImages(request: TurnRequest): void {
  if (request.images.length > 0 && request.message === null && request.placed === undefined) {
    throw invalidField('/images', 'belong to a message: send one');
  }
  const cut = request.images.findIndex((image) => image.length % 4 !== 0);
  if (cut !== -1) {
    throw invalidField(`/images/${cut}`, 'must be base64: its length is no multiple of 4');
  }
}
