// Pictures of every screen of the page, in both themes and three widths: `npm run screens [folder] [screen or picture…]`. For those who change
// it, to look at.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { startAgentServer } from '../support/agent-server.ts';
import { openBrowser } from '../support/browser.ts';
import { succeeded } from '../support/scripted-source.ts';
import { ADD, startToolServer } from '../support/server-with-tools.ts';

const [folder = 'screens', ...names] = process.argv.slice(2);
const WIDTHS = [390, 820, 1280];

const server = await startToolServer([ADD], { ollama: { programs: {} } });
const empty = await startToolServer([], { ollama: { models: [] } });
const away = await startToolServer([], { ollama: { models: [] } });
await away.ollama.stop();
const locked = await startToolServer([], { config: { apiKeys: ['a-key-of-sixteen-characters'] } });
const browser = await openBrowser();
if (browser === null) throw new Error('There is no browser: MOCHI_TEST_BROWSER names one.');

const talk = await imported('Ports of Redis', [
  ['user', 'Which port does Redis use, and how do I greet somebody in Python?'],
  ['assistant', answer()],
  ['user', 'Thank you! And what does it cost to run one?'],
  [
    'assistant',
    'On a machine that you have anyway, nothing. In a cloud, a small one is **$5 to $10** a month.',
  ],
]);
const long = await imported(
  'A long one',
  Array.from({ length: 400 }, (_, at): [string, string] => [
    at % 2 === 0 ? 'user' : 'assistant',
    `Message ${at}: ${'some words '.repeat(at % 23)}`,
  ]),
);
await imported('مرحبا بالعالم', [
  ['user', 'قل مرحبا'],
  ['assistant', 'مرحبا بالعالم، هذا نص عربي.'],
]);
const failed = await server.createSession({ model: 'mid-error' });
await server.request('POST', `/chat/${failed}`, { message: 'Fail, please.' });
const asking = await server.toolSession(['add_numbers'], {
  model: 'early-tool',
  tool_settings: { execution_policy: 'always_confirm' },
});
await server.request('POST', `/chat/${asking}`, { message: 'Add two numbers.', on_approval: 'return' });

const branched = await server.createSession({ title: 'Names for a cat' });
await server.request('POST', `/chat/${branched}`, { message: 'Name my cat.' });
const [asked, named] = await server.messages(branched);
await server.request('POST', `/chat/${branched}`, { message: null, replaces: named.message_id });
await server.request('POST', `/chat/${branched}`, { message: 'A shorter one?' });
await server.request('POST', `/chat/${branched}`, { message: 'Name my dog.', replaces: asked.message_id });
await server.request('POST', `/chat/${branched}`, { message: 'And the other one?' });
const agents = await startAgentServer();
const counting = await agents.agentSession(['coder'], { title: 'Apples and pears' });
agents.ollama.reply(
  toolCall('agent', { agent: 'coder', instruction: 'Count the apples, then the pears.' }),
  text('1. Count the apples.\n2. Count the pears.\n3. Tell both numbers.'),
  toolCall('count', { text: 'apples' }),
  toolCall('count', { text: 'pears' }),
  text('There are **7** apples and **3** pears.'),
  text('Seven apples and three pears, says the agent.'),
);
await agents.request('POST', `/chat/${counting}`, { message: 'How many apples and pears do we have?' });
const planned = await agents.agentSession(['coder'], {
  tool_settings: { execution_policy: 'always_confirm' },
});
agents.ollama.reply(
  toolCall('agent', { agent: 'coder', instruction: 'Count the plums.' }),
  text('1. Count the plums.'),
  toolCall('count', { text: 'plums' }),
);
await agents.request('POST', `/chat/${planned}`, { message: 'And plums?', on_approval: 'return' });
const [first] = (await agents.get('/approvals')).body.approvals;
await agents.post(`/approvals/${first.confirmation_id}/decide`, { decision: 'approve' });
for (const [filename, content] of [
  ['short.md', 'Answer in one sentence. No lists, no headings, no apologies.'],
  ['teacher.md', 'You are a patient teacher. Explain with an example before you name the rule.'],
])
  await server.post('/system-prompts', { filename, content });

// The picture of the README: `npm run screens -- docs readme-1280-light`.
const show = await startToolServer(
  [{ name: 'read_file', run: async () => succeeded('[server]\nport = 6380\ntls = true\nworkers = 4\n') }],
  { ollama: { programs: {} } },
);
for (const title of ['Names for a cat', 'A letter to the landlord', 'Why is the sky blue?'])
  await show.createSession({ title, model: 'qwen3:14b' });
const shown = await show.toolSession(['read_file'], { title: 'Which port is it?', model: 'qwen3:14b' });
show.ollama.reply(toolCall('read_file', { path: 'config/server.toml' }), text(...found().split(/(?<= )/)));
await show.request('POST', `/chat/${shown}`, {
  message: 'Which port does our server use? Show me how to reach it from Python.',
});

const at = (id: string) => `${server.url}/#/s/${id}`;
const SCREENS: Readonly<Record<string, readonly [string, ((page: Page) => Promise<unknown>)?]>> = {
  empty: [`${server.url}/#/`],
  'no-model': [`${empty.url}/#/`],
  'no-engine': [`${away.url}/#/`],
  'being-fetched': [
    `${empty.url}/#/`,
    async (page) => {
      empty.ollama.holdPulls();
      const button = page.getByRole('button', { name: 'Fetch qwen3' });
      if (await button.isEnabled()) await button.click();
      await page.getByText('50 %').waitFor();
    },
  ],
  gone: [at('0000000000')],
  import: [
    at(talk),
    async (page) => {
      await openFromSidebar(page, 'Import');
      await page.getByLabel('Choose files').setInputFiles([
        { name: 'capitals.jsonl', mimeType: 'application/json', buffer: Buffer.from(await exported(talk)) },
        { name: 'notes.json', mimeType: 'application/json', buffer: Buffer.from('{"notes": [') },
      ]);
      await page.locator('.imports .fault').waitFor();
    },
  ],
  conversation: [at(talk), (page) => page.locator('.scroller').evaluate((view) => view.scrollTo(0, 0))],
  long: [at(long)],
  failed: [at(failed)],
  approval: [at(asking)],
  'approval-edit': [at(asking), (page) => page.getByRole('button', { name: 'Edit…' }).click()],
  receipt: [at(failed), (page) => page.locator('button.gauge').click()],
  agent: [
    `${agents.url}/#/s/${counting}`,
    async (page) => {
      await page.locator('details.agent > summary').click();
      await page.locator('details.agent .step').last().waitFor();
    },
  ],
  'agent-asks': [`${agents.url}/#/s/${planned}`, (page) => page.locator('details.agent > summary').click()],
  options: [at(talk), (page) => page.getByRole('button', { name: 'How it is sent' }).click()],
  tools: [at(talk), (page) => page.getByRole('button', { name: /^Tools and agents/ }).click()],
  preview: [
    at(talk),
    async (page) => {
      await page.getByRole('textbox', { name: 'Write a message' }).fill('And how do I back it up?');
      await page.getByRole('button', { name: 'What would be sent' }).click();
    },
  ],
  prompts: [at(talk), (page) => openFromSidebar(page, 'Prompts')],
  'prompt-edit': [
    at(talk),
    async (page) => {
      await openFromSidebar(page, 'Prompts');
      await page.getByRole('button', { name: 'Edit teacher.md' }).click();
    },
  ],
  keys: [
    at(talk),
    async (page) => {
      await openFromSidebar(page, 'Settings');
      await page.getByRole('button', { name: 'Keys' }).click();
    },
  ],
  branches: [
    at(branched),
    async (page) => {
      await page.getByRole('button', { name: 'More' }).click();
      await page.getByRole('menuitem', { name: 'Branches…' }).click();
      await page.locator('.tree li').first().waitFor();
    },
  ],
  'branch-menu': [
    at(branched),
    (page) =>
      page
        .getByRole('button', { name: /^Version/ })
        .last()
        .click(),
  ],
  search: [
    at(talk),
    async (page) => {
      await page.keyboard.press('Control+k');
      await page.getByRole('searchbox').fill('Redis');
      await page.locator('.hits a').first().waitFor();
    },
  ],
  models: [at(talk), (page) => openFromSidebar(page, 'Models')],
  'answer-with': [
    at(branched),
    (page) => page.getByRole('button', { name: 'Another model for this answer' }).last().click(),
  ],
  readme: [`${show.url}/#/s/${shown}`, (page) => page.locator('textarea').evaluate((field) => field.blur())],
  settings: [at(talk), (page) => openFromSidebar(page, 'Settings')],
  key: [`${locked.url}/#/`],
};

await mkdir(folder, { recursive: true });
for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of WIDTHS) {
    for (const [name, [address, act]] of Object.entries(SCREENS)) {
      const picture = `${name}-${width}-${colorScheme}`;
      if (names.length > 0 && !names.includes(name) && !names.includes(picture)) continue;
      const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
      await page.goto(address);
      await page.waitForTimeout(1000);
      await act?.(page);
      await page.waitForTimeout(200);
      await page.screenshot({ path: join(folder, `${picture}.png`) });
      await page.close();
    }
  }
}
await browser.close();
await Promise.all([
  server.close(),
  empty.close(),
  away.close(),
  locked.close(),
  agents.close(),
  show.close(),
]);

async function openFromSidebar(page: Page, name: string): Promise<void> {
  if ((await page.locator('.sidebar').count()) === 0) await page.keyboard.press('Control+b');
  await page.locator('.sidebar').getByRole('button', { name }).click();
}

async function exported(id: string): Promise<string> {
  return (await fetch(`${server.url}/api/v1/sessions/${id}/export?format=jsonl`)).text();
}

async function imported(title: string, texts: readonly (readonly [string, string])[]): Promise<string> {
  const model = 'llama3.2:latest';
  const messages = texts.map(([role, content], index) => ({
    role,
    content,
    message_id: `aa${String(index).padStart(8, '0')}`,
    ...(role === 'assistant' && {
      model,
      eval_count: 60 + index,
    }),
  }));
  const { body } = await server.post('/sessions/import', { metadata: { model, title }, messages });
  return body.imported[0].session_id;
}

function answer(): string {
  return `Redis listens on port **6379**. To say hello:

\`\`\`python
def greet(name: str) -> str:
    return f"Hello, {name}!"
\`\`\`

| Port | Use |
|-----:|:----|
| 6379 | plain |
| 6380 | TLS |

1. Start it with \`redis-server\`.
2. Look at it with \`redis-cli ping\`: it answers \`PONG\`.`;
}

function found(): string {
  return `It listens on port **6380**, with TLS. From Python:

\`\`\`python
from redis import Redis

server = Redis(port=6380, ssl=True)
print(server.ping())  # True
\`\`\`
`;
}
