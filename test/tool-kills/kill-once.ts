// One turn with tools, cut at one point of its life, started again, decided by a person and gone to its end; and then
// everything that was promised is looked at.
import { expect } from 'vitest';
import { killInTool } from './ledger-tool.ts';
import type { Life } from './life.ts';
import { brokenPromises } from './promises.ts';
import { isInTool, type Series } from './series.ts';

interface Cut {
  readonly life: Life;
  readonly series: Series;
  readonly sessionId: string;
  /** Keys of calls whose success was told. */
  readonly told: Set<string>;
}

/**
 * @param life whose server runs, and will
 * @param commit from 1; of no account in a tool
 * @returns whether the server was killed there: there may be fewer commits
 */
export async function killOnce(
  life: Life,
  series: Series,
  { key, commit }: { key: string; commit: number },
): Promise<boolean> {
  const { phase } = series;
  const settings = { tools: ['*'], execution_policy: 'always_confirm' };
  const policies = { write: 'never_confirm', look: 'never_confirm' };
  const hasAgent = series.message.startsWith('agent');
  const sessionId = await life.client.createSession({
    model: 'strict:latest',
    tool_settings: hasAgent
      ? { ...settings, tools: [], tool_policies: { ...policies, agent: 'never_confirm' } }
      : { ...settings, tool_policies: policies },
    agent_settings: { enabled_agents: hasAgent ? ['keeper'] : [] },
  });
  const cut: Cut = { life, series, sessionId, told: new Set() };
  if (phase === 'turn') await setTrap(cut, commit);
  else killInTool(life.dataDir, 'tool-after');
  await surviving(life, () => converse(cut, series.message.replaceAll('KEY', key)));
  let isKilled = phase === 'turn' ? await reap(life) : true;
  if (phase !== 'turn') await life.expectKilled();
  if (phase === 'recovery') {
    const isServing = await life.start(pointOf(series, commit));
    isKilled = isServing ? await reap(life) : true;
  }
  if (isKilled) expect(await life.start()).toBe(true);
  if (phase === 'decision') {
    await setTrap(cut, commit);
    await surviving(life, () => settle(cut));
    isKilled = await reap(life);
    if (isKilled) expect(await life.start()).toBe(true);
  }
  await settle(cut);
  expect(await brokenPromises(life.dataDir, sessionId, cut.told)).toEqual([]);
  // A strict engine accepts the history.
  const { body } = await life.client.chat(sessionId, { message: 'And now?' });
  expect(body.message.content).toBe('Well then.');
  if (hasAgent) await continueChats(cut);
  return isKilled;
}

/** A strict engine accepts their histories, too. */
async function continueChats({ life, sessionId }: Cut): Promise<void> {
  const { sessions } = (await life.client.get(`/agents/chats?session_id=${sessionId}`)).body;
  for (const { session_id: chat } of sessions) {
    const request = { instruction: 'And now?', session_id: chat };
    const { status, body } = await life.client.post('/agents/agent/keeper/chat', request);
    expect([status, body.message?.content]).toEqual([200, 'Well then.']);
  }
}

function pointOf({ at }: Series, commit: number): string {
  return `${at}:${commit}`;
}

async function setTrap({ life, series }: Cut, commit: number): Promise<void> {
  if (isInTool(series)) killInTool(life.dataDir, series.at);
  else expect(await life.arm(pointOf(series, commit))).toBe(true);
}

/** A connection that breaks is what a kill does, and nothing else. */
async function surviving(life: Life, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof TypeError) || (await life.arm(''))) throw error;
    await life.expectKilled();
  }
}

/** @returns whether it was killed; else it is killed nowhere any more */
async function reap(life: Life): Promise<boolean> {
  if (await life.arm('')) return false;
  await life.expectKilled();
  return true;
}

async function converse(cut: Cut, message: string): Promise<void> {
  const { client } = cut.life;
  const body = { message, on_disconnect: 'continue' };
  const stream = await client.stream(`/chat/${cut.sessionId}/stream`, body);
  expect(stream.status).toBe(200);
  for await (const { event, data } of stream.events) {
    if (event === 'tool_call_confirmation_required') {
      const path = `/approvals/${data.confirmation_id}/decide`;
      expect((await client.post(path, { decision: 'approve' })).status).toBe(200);
    }
    hear(cut, event, data);
  }
}

function hear({ told }: Cut, event: string, data: any): void {
  const [, key] = /^wrote (\w+)$/.exec(String(data.result)) ?? [];
  if (event === 'tool_result' && data.success === true && key !== undefined) told.add(key);
}

/** Decides whatever is asked until the turn has ended. */
async function settle(cut: Cut): Promise<void> {
  const { life, sessionId, series } = cut;
  for (;;) {
    const { turns } = (await life.client.get(`/sessions/${sessionId}/turns`)).body;
    const [turn] = turns;
    // The kill came before anything was on disk.
    if (turn === undefined || turn.finished_at !== null) return;
    const { approvals } = (await life.client.get(`/approvals?session_id=${sessionId}`)).body;
    for (const { confirmation_id: id, kind } of approvals) {
      const content = series.decision === 'respond' ? { content: 'It is done.' } : {};
      const decision =
        kind === 'outcome' ? { decision: series.decision, ...content } : { decision: 'approve' };
      const { status, body } = await life.client.post(`/approvals/${id}/decide`, decision);
      expect([status, body.detail]).toEqual([200, undefined]);
    }
    if (approvals.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
