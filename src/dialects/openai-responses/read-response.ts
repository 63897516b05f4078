// A response from what is stored of its turn.

import { MochiError } from '../../contract/errors.ts';
import type { Turn } from '../../contract/turn.ts';
import { instantNow } from '../../kit/clock.ts';
import { listTurnMessages } from '../../store/messages.ts';
import { findResponse } from '../../store/responses.ts';
import { listSettledCalls } from '../../store/settled-calls.ts';
import type { DialectDeps } from '../dialect.ts';
import type { JsonObject } from '../read-content.ts';
import { type CustomTools, readCustomTools } from './custom-tools.ts';
import { toConversationId, toResponseId } from './ids.ts';
import type { ReasoningForm } from './items.ts';
import { requireTurnId } from './read-request.ts';
import {
  NO_ECHO,
  type RequestEcho,
  type ResponseHead,
  statusOf,
  toResponse,
  toSeconds,
} from './response-object.ts';
import { type ItemForm, toOutputItems } from './stored-items.ts';

export interface KnownResponse {
  readonly turn: Turn;
  readonly echo: RequestEcho;
}

/** @throws MochiError turn_not_found, also where it was deleted */
export async function requireResponse({ db, turns }: DialectDeps, id: string): Promise<KnownResponse> {
  const turnId = requireTurnId(id);
  const turn = await turns.describe(turnId).catch((error: unknown) => {
    throw error instanceof MochiError && error.kind === 'turn_not_found' ? responseNotFound(id) : error;
  });
  const stored = await findResponse(db, turnId);
  if (stored?.isDeleted === true) throw responseNotFound(id);
  return { turn, echo: { ...NO_ECHO, ...stored?.request } };
}

function responseNotFound(id: string): MochiError {
  return new MochiError('turn_not_found', `Response with id '${id}' not found.`);
}

export function toHead({ turn, echo }: KnownResponse, include: readonly string[] = []): ResponseHead {
  const { finished_at: finishedAt } = turn;
  return {
    id: toResponseId(turn.turn_id),
    createdAt: toSeconds(turn.created_at),
    conversationId: toConversationId(turn.session_id),
    echo: { ...echo, include: [...echo.include, ...include] },
    nowSeconds: () => (finishedAt === null ? Math.floor(instantNow() / 1000) : toSeconds(finishedAt)),
  };
}

/** As it stands in the rows: a running one as far as it was kept. */
export async function readResponse(
  { db }: Pick<DialectDeps, 'db'>,
  known: KnownResponse,
  include: readonly string[] = [],
): Promise<JsonObject> {
  const { turn } = known;
  const head = toHead(known, include);
  const messages = await listTurnMessages(db, turn.session_id, turn.turn_id);
  const answers = messages.filter(({ role }) => role === 'assistant');
  const ids = answers.map(({ message_id: id }) => id);
  const calls = await listSettledCalls(db, turn.session_id, ids);
  const form = itemForm(turn.session_id, head.echo);
  return toResponse(head, {
    status: statusOf(turn.state, turn.finish_reason === 'length'),
    output: answers.flatMap((message) => toOutputItems(message, calls, form)),
    usage: turn.usage,
    error: turn.error,
    completedAt: turn.state === 'completed' && turn.finished_at !== null ? toSeconds(turn.finished_at) : null,
    model: answers.at(-1)?.model ?? null,
  });
}

export function itemForm(
  sessionId: string,
  echo: Pick<RequestEcho, 'tools' | 'reasoning' | 'include'>,
): ItemForm {
  const custom: CustomTools = readCustomTools(echo.tools);
  return { sessionId, custom, reasoning: reasoningForm(echo) };
}

function reasoningForm({ reasoning, include }: Pick<RequestEcho, 'reasoning' | 'include'>): ReasoningForm {
  return {
    isSummary: reasoning.summary !== null,
    isEncrypted: include.includes('reasoning.encrypted_content'),
  };
}
