// A run of an agent begins, in the transaction in which the call that starts it does. It has no slot of its own: it uses
// that of its parent, which waits for it.

import { type AgentCall, readAgentCall, unknownChatText } from '../agents/agent-tool.ts';
import type { RunPlace } from '../agents/translate-events.ts';
import { timestampAfter } from '../kit/clock.ts';
import { unlessAborted } from '../kit/unless-aborted.ts';
import { completeAgentSettings } from '../sessions/settings.ts';
import type { StoredSession } from '../store/sessions.ts';
import { type AcceptedTurn, acceptTurn } from './accept-turn.ts';
import { chooseAgentModel } from './agent-model.ts';
import { agentStart } from './agent-run.ts';
import { createAgentScript } from './agent-script.ts';
import { USUAL_WISHES } from './answer-wishes.ts';
import { recallModel } from './check-request.ts';
import { driveTurn, untilPlace } from './drive-turn.ts';
import type { Place } from './line/place.ts';
import { nestedRun, type RunParentTurn } from './nested-run.ts';
import { findAgentChat } from './open-agent-chat.ts';
import { openingEvents } from './opening-events.ts';
import type { FollowedRun } from './relay-run.ts';
import type { RunOrigin } from './run-origin.ts';
import { startTurn } from './start-turn.ts';
import type { AgentCallRun, Seat } from './step/turn-progress.ts';
import type { TurnHouse } from './turn-house.ts';
import { agentSettingsOf, type TurnRequest, toQueuedMessage } from './turn-request.ts';
import { untilNext } from './until-next.ts';
import { LiveTurn } from './watch/live-turn.ts';

/** @returns why there is none, in words for the model @throws what the store throws */
export async function openRun(
  house: TurnHouse,
  parent: RunParentTurn,
  run: AgentCallRun,
): Promise<FollowedRun | string> {
  const { deps } = house;
  const enabled = deps.agents.enabled(agentSettingsOf(parent.session, parent.request).enabled_agents);
  const names = enabled.map(({ name }) => name);
  const asked = readAgentCall(run.arguments, enabled);
  if (asked === null) return `That agent is not there any more. Enabled: ${names.join(', ')}.`;
  const { agent, chatId } = asked;
  const chat = chatId === null ? null : await findAgentChat(deps.db, agent.name, chatId);
  if (chat === null && chatId !== null) return unknownChatText(agent.name, chatId, names);
  const chosen = await chooseAgentModel(deps.engine, agent, async () => parent.session.model);
  if (chosen.warning !== null) deps.log.warn({ turn_id: parent.live.turnId }, chosen.warning);
  return accept(house, parent, { run, asked, chat, model: chosen.model });
}

interface Opening {
  readonly run: AgentCallRun;
  readonly asked: AgentCall;
  /** Null: a new one. */
  readonly chat: StoredSession | null;
  readonly model: string;
}

async function accept(
  { deps, lines, registry }: TurnHouse,
  parent: RunParentTurn,
  { run, asked, chat, model: name }: Opening,
): Promise<FollowedRun> {
  const { agent, instruction } = asked;
  const { messageId, callIndex, callId } = run.call;
  const chatId = chat?.session_id ?? deps.newId(10);
  const createdAt = timestampAfter(chat?.newestTurnAt ?? null, deps.now());
  const live = new LiveTurn({ turnId: `turn_${deps.newId(12)}`, sessionId: chatId, createdAt });
  const { turnId } = live;
  const { turnId: parentId, sessionId: parentSessionId } = parent.live;
  const origin: RunOrigin = {
    agent,
    model: name,
    isNew: chat === null,
    parent: { turnId: parentId, sessionId: parentSessionId, messageId, callIndex },
  };
  const request = toNestedRequest(parent.request, { message: instruction, think: agent.skill.run.think });
  const message = toQueuedMessage(deps, request);
  const model = await recallModel(deps, name);
  const place = lines.enterRun(chatId, turnId);
  const living = () => lines.turnsOf(chatId);
  const turn = { live, createdAt, request, message, place, living, idempotency: null, run: origin };
  const accepting = acceptTurn(deps, { ...turn, alongside: run.onStart });
  const { beginning, userMessageId } = await durably(accepting).catch((error: unknown) => {
    live.finish();
    place.leave();
    throw error;
  });
  const runPlace: RunPlace = { agentName: agent.name, chatId, runId: turnId, callId, callIndex };
  const nested = nestedRun(deps, parent, { agent, place: runPlace, call: run, resumed: null });
  live.append(openingEvents(live, userMessageId, place, [agentStart({ live, request, run: origin })]));
  const begin = async () => {
    await untilChatIsFree(deps, { live, place, seat: parent.seat });
    const started = { live, request, message, place, seat: parent.seat, model, run: origin, beginning };
    const { turn: running } = await startTurn(deps, started);
    return {
      turn: { ...running, ...nested.turn },
      plan: { script: createAgentScript(nested.run), openRound: null },
    };
  };
  registry.add(live, driveTurn(deps, { live, message, place, begun: begin() }));
  return { live, place: runPlace, maxRounds: nested.run.limits.maxRounds, after: 0 };
}

async function durably(accepting: ReturnType<typeof acceptTurn>): Promise<AcceptedTurn> {
  const accepted = await accepting;
  await accepted.durable;
  return accepted;
}

/** Options and format of the parent's request are about its own answer. */
function toNestedRequest(
  { onApproval }: TurnRequest,
  own: Pick<TurnRequest, 'message' | 'think'>,
): TurnRequest {
  return {
    ...USUAL_WISHES,
    ...own,
    mode: 'regenerate',
    images: [],
    replaces: null,
    toolSettings: null,
    toolResults: [],
    agentSettings: completeAgentSettings(null),
    onBusy: null,
    onApproval,
  };
}

/** Another run works in it, and may need the slot that this one has. */
async function untilChatIsFree(
  deps: TurnHouse['deps'],
  { live, place, seat }: { readonly live: LiveTurn; readonly place: Place; readonly seat: Seat },
): Promise<void> {
  if (place.isReady) return;
  seat.leave();
  try {
    await untilNext(deps, live, { place, signal: live.signal, tell: () => undefined });
    await untilPlace(live, place);
  } finally {
    await unlessAborted(seat.take(), live.signal).catch(() => undefined);
  }
}
