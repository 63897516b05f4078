// Agents in the page: what one does is seen as it does it, and again when it is done.
import { beforeEach, expect, it } from 'vitest';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { type AgentServer, startAgentServer } from '../support/agent-server.ts';
import { nativeTool, skill } from '../support/agent-world.ts';
import { describePage, openedPageOf } from './opened-page.ts';

const FILES = {
  'agents/coder/SKILL.md': skill('', 'You count.'),
  'agents/coder/index.mjs': nativeTool('count', 'return "counted " + (text ?? "");'),
  'agents/careful/SKILL.md': skill('metadata:\n  mochi-approve-plan: "true"', 'You count.'),
  'agents/careful/index.mjs': nativeTool('count', 'return "counted " + (text ?? "");'),
};
const calling = (agent: string) =>
  toolCall('agent', { agent, instruction: 'Count the apples.' }, { id: 'call_agent' });
const WORK = [
  text('I ', 'count **them**.'),
  toolCall('count', { text: 'apples' }, { id: 'call_count' }),
  text('They are', ' counted.'),
  text('The agent counted.'),
];

describePage('agents in the page', () => {
  const web = openedPageOf<AgentServer>(() => startAgentServer(FILES));
  const card = () => web.page.locator('details.agent');
  const plan = () =>
    card().locator('.step').filter({ hasText: 'Its plan' }).locator('.markdown').allInnerTexts();
  const approve = () => web.page.getByRole('button', { name: 'Approve once' });
  const asking = { tool_settings: { execution_policy: 'always_confirm' } };

  beforeEach(() => web.server?.ollama.setDefault(() => text('Fine.')));

  it('are asked about like tools, and their plan, calls and words stand under their call', async () => {
    const id = await web.server.agentSession(['coder'], asking);
    web.server.ollama.reply(calling('coder'), ...WORK);
    await web.open(id);
    await web.say('Have it counted.');
    await web.page.getByText('May this run? agent').waitFor();
    await approve().click();
    await web.page.getByText('May this run? count').waitFor();
    await web.page.locator('.approval').getByText('Asked by the agent coder').waitFor();
    await expect.poll(() => card().locator('> summary').innerText()).toMatch(/coder\s+waits/);
    await card().locator('> summary').click();
    await card().getByText('Count the apples.').waitFor();
    await expect.poll(plan).toEqual(['I count them.']);
    // Another tab, or this one after a reload, sees the same of it.
    await web.page.reload();
    await card().locator('> summary').click();
    await expect.poll(plan).toEqual(['I count them.']);
    await approve().click();
    await web.answers().filter({ hasText: 'The agent counted.' }).waitFor();
    // It is stored now, and stays open.
    await expect.poll(() => card().locator('> summary').innerText()).toMatch(/coder\s+done/);
    await expect
      .poll(() => card().locator('.step .markdown').allInnerTexts())
      .toEqual(['I count them.', 'They are counted.']);
    await card().locator('.tool summary').click();
    await expect
      .poll(() => card().locator('.tool').innerText())
      .toMatch(/count\s+done[^]*apples[^]*counted apples/);
  });

  it('have their plan approved, changed or denied by a person', async () => {
    const id = await web.server.agentSession(['careful']);
    web.server.ollama.reply(calling('careful'), text('1. Count.'), text('No count, then.'));
    await web.open(id);
    await web.say('Have it counted.');
    await web.page.getByText('Is this plan right?').waitFor();
    expect(await web.page.locator('.approval pre').innerText()).toBe('1. Count.');
    await web.page.getByRole('button', { name: 'Deny' }).click();
    await web.page.getByLabel('Why not?').fill('Too many apples');
    await web.page.getByRole('button', { name: 'Deny' }).click();
    await web.answers().filter({ hasText: 'No count, then.' }).waitFor();
    await expect.poll(() => card().locator('> summary').innerText()).toMatch(/careful\s+failed/);
    await expect.poll(() => web.page.locator('.approval').count()).toBe(0);
  });
});
