// `POST /v1/responses`: a turn in the place that the request names, told as a response.

import { MochiError } from '../../contract/errors.ts';
import { instantNow } from '../../kit/clock.ts';
import { insertResponse } from '../../store/responses.ts';
import type { Asked, DialectAnswer, DialectDeps, TurnAnswer } from '../dialect.ts';
import { closeHistory } from '../history.ts';
import { meantModel } from '../models.ts';
import { placeTurn } from '../place.ts';
import type { PlacingRequest } from '../placing-request.ts';
import { parseItemId, toConversationId, toResponseId } from './ids.ts';
import { type ResponsePlace, type ResponseRequest, readRequest } from './read-request.ts';
import { readResponse, requireResponse } from './read-response.ts';
import type { ResponseBody } from './request-body.ts';
import { type ResponseHead, toSeconds } from './response-object.ts';
import { createResponseReader, createResponseWriter } from './write-events.ts';

export async function createResponse(deps: DialectDeps, asked: Asked<ResponseBody>): Promise<DialectAnswer> {
  const request = readRequest(asked.body);
  if (!request.isStored) return passResponse(deps, request);
  const { echo, model, history, settings } = request;
  const place = await toPlace(deps, asked, request.place);
  const { turn } = await placeTurn(deps, asked, { model, history, settings, ...place });
  await insertResponse(deps.db, turn.turnId, echo);
  const { created_at: createdAt } = await deps.turns.describe(turn.turnId);
  const head = {
    id: toResponseId(turn.turnId),
    createdAt: toSeconds(createdAt),
    conversationId: toConversationId(turn.sessionId),
    echo,
    nowSeconds,
  };
  if (echo.background && !request.isStream) {
    turn.hold('continue').end();
    const known = await requireResponse(deps, head.id);
    return { as: 'json', body: await readResponse(deps, known, echo.include) };
  }
  return {
    as: 'turn',
    turn,
    isStored: true,
    told: toldAs(request, head),
    ...(echo.background && { onDisconnect: 'continue' }),
  };
}

/** Nothing of it is kept. */
async function passResponse(deps: DialectDeps, request: ResponseRequest): Promise<TurnAnswer> {
  const { history, settings, echo } = request;
  if (request.place.of !== 'nothing') {
    // What is stored is read from there, and not passed on.
    throw new MochiError(
      'unsupported_parameter',
      'store: false goes with the whole conversation in input: leave out conversation, previous_response_id and item references.',
      { parameter: 'store' },
    );
  }
  const turn = await deps.turns.pass({
    ...settings,
    model: meantModel(deps, request.model),
    system: history.system,
    messages: closeHistory(history.messages),
  });
  const head = {
    id: toResponseId(turn.turnId),
    createdAt: nowSeconds(),
    conversationId: null,
    echo,
    nowSeconds,
  };
  return { as: 'turn', turn, isStored: false, told: toldAs(request, head) };
}

function toldAs({ isStream, echo }: ResponseRequest, head: ResponseHead): TurnAnswer['told'] {
  return isStream
    ? { how: 'sse', writer: createResponseWriter(head), isImmediate: echo.background }
    : { how: 'whole', reader: createResponseReader(head) };
}

/** @throws MochiError turn_not_found, message_not_found */
async function toPlace(
  deps: DialectDeps,
  { session }: Pick<Asked, 'session'>,
  place: ResponsePlace,
): Promise<Pick<PlacingRequest, 'place'>> {
  // A session that is named beside the body.
  if (place.of === 'nothing' && session !== null && session !== 'none') return {};
  if (place.of === 'response') await requireResponse(deps, toResponseId(place.turnId));
  if (place.of !== 'item') return { place };
  const item = parseItemId(place.itemId);
  if (item !== null) {
    const { sessionId, messageId } = item;
    return { place: { of: 'item', sessionId, messageId } };
  }
  throw new MochiError('message_not_found', `Item with id '${place.itemId}' not found.`);
}

function nowSeconds(): number {
  return Math.floor(instantNow() / 1000);
}
