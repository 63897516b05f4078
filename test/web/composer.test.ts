// Before a message is sent: what would be sent, how, and under which system prompt.
import { expect, it } from 'vitest';
import { startToolServer } from '../support/server-with-tools.ts';
import { describePage, openedPage } from './opened-page.ts';

describePage('before a message is sent, the page', () => {
  const web = openedPage(() => startToolServer([], { ollama: {} }));
  const dialog = () => web.page.getByRole('dialog');
  const close = () => web.page.keyboard.press('Escape');
  const lastRequest = () => web.server.ollama.requestsTo('/api/chat').at(-1)?.body as any;
  const openFromSidebar = (name: string) =>
    web.page.locator('.sidebar').getByRole('button', { name }).click();
  const number = new Intl.NumberFormat('en-US');

  it('shows what would be sent, as the server has it, and sends just that', async () => {
    const id = await web.server.createSession({ system_prompt: 'Be brief.' });
    await web.open(id);
    const preview = web.page.getByRole('button', { name: 'What would be sent' });
    expect(await preview.isDisabled()).toBe(true);
    await web.composer().fill('Hello there');
    await preview.click();
    await dialog().getByText('The exact request').waitFor();
    const { body } = await web.server.post(`/chat/${id}/preview`, { message: 'Hello there', think: false });
    const shown = await dialog().innerText();
    expect(shown).toContain(`Tokens planned\n${number.format(body.context.planned_tokens)} tokens`);
    expect(shown).toContain(`Context window\n${number.format(body.context.window)} tokens`);
    expect(shown).toContain(`Messages sent\n${body.context.messages_sent} messages`);
    expect(JSON.parse(await dialog().locator('pre').innerText())).toEqual(body.engine_request);
    expect(await web.textsOf(id)).toEqual([['system', 'Be brief.']]);
    await close();
    expect(await web.composer().inputValue()).toBe('Hello there');
    await web.composer().press('Enter');
    await expect.poll(() => web.answers().count()).toBe(1);
    expect(lastRequest()).toEqual(body.engine_request);
  });

  it('shows it before a conversation is begun, too, and keeps what is typed', async () => {
    await web.open();
    await web.composer().fill('Not yet');
    await web.page.getByRole('button', { name: 'What would be sent' }).click();
    await dialog().getByText('The exact request').waitFor();
    await close();
    expect(web.page.url()).toMatch(/#\/s\//);
    expect(await web.composer().inputValue()).toBe('Not yet');
    await web.page.reload();
    await expect.poll(() => web.composer().inputValue()).toBe('Not yet');
  });

  it('keeps pictures with the text over a reload and a preview, and says so where they are too large', async () => {
    await web.open();
    const field = web.page.locator('.composer input[type=file]');
    const pictures = () => web.page.locator('.composer .pictures li');
    const seeing = () => web.page.getByRole('combobox', { name: 'Model' }).selectOption('llava:7b');
    await seeing();
    await field.setInputFiles({ name: 'dot.png', mimeType: 'image/png', buffer: DOT });
    await expect.poll(() => pictures().count()).toBe(1);
    await web.page.reload();
    await expect.poll(() => pictures().count()).toBe(1);
    await seeing();
    await web.composer().fill('What is this?');
    await web.page.getByRole('button', { name: 'What would be sent' }).click();
    await dialog().getByText('The exact request').waitFor();
    await close();
    expect(await pictures().count()).toBe(1);
    await web.page.reload();
    await expect.poll(() => pictures().count()).toBe(1);
    await web.page.evaluate(`for (let size = 2 ** 20; size >= 1; size /= 2) {
      try { for (let at = 0; ; at += 1) sessionStorage.setItem('fill.' + size + '.' + at, 'x'.repeat(size)); } catch {}
    }`);
    await field.setInputFiles({ name: 'dot.png', mimeType: 'image/png', buffer: DOT });
    await web.page.getByText('a reload loses these pictures').waitFor();
    await web.page.getByRole('button', { name: 'Remove the picture' }).last().click();
    await web.page.getByText('a reload loses these pictures').waitFor({ state: 'detached' });
    await web.composer().press('Enter');
    await expect.poll(() => web.answers().count()).toBe(1);
    expect(await pictures().count()).toBe(0);
    await web.page.reload();
    await web.answers().first().waitFor();
    expect(await pictures().count()).toBe(0);
  });

  it('sends with the options of the conversation, keeps them, and refuses what cannot be', async () => {
    const [id, other] = [
      await web.server.createSession({ model: 'qwen3:14b' }),
      await web.server.createSession(),
    ];
    await web.open(id);
    const options = () => web.page.getByRole('button', { name: /How it is sent/ });
    await options().click();
    await dialog().getByLabel('Temperature').fill('0.3');
    await dialog().getByLabel('Seed').fill('7');
    await dialog().getByLabel('Longest answer').fill('64');
    await dialog().getByLabel('Stop at').fill('END\nSTOP');
    await dialog().getByLabel('Answer as JSON').check();
    await dialog().getByLabel('Top-p').fill('3');
    await dialog().getByText('Top-p: a number between 0 and 1').waitFor();
    await close();
    await web.page.getByLabel('Thinking').selectOption('Think');
    await web.page.reload();
    await web.page.getByRole('button', { name: 'How it is sent: 5 set' }).waitFor();
    await web.say('Hi');
    await expect.poll(() => lastRequest()?.messages?.at(-1)?.content).toBe('Hi');
    expect(lastRequest()).toMatchObject({
      think: true,
      format: 'json',
      options: { temperature: 0.3, seed: 7, num_predict: 64, stop: ['END', 'STOP'] },
    });
    expect(lastRequest().options.top_p).toBeUndefined();
    await web.page.goto(`${web.server.url}/#/s/${other}`);
    await web.page.getByRole('button', { name: 'How it is sent', exact: true }).waitFor();
  });

  it('has the files of system prompts: new, changed, used in this chat, deleted', async () => {
    web.expectComplaints(/422/);
    const id = await web.server.createSession();
    await web.open(id);
    await openFromSidebar('Prompts');
    await dialog().getByText('No system prompt').waitFor();
    await dialog().getByRole('button', { name: 'New file' }).click();
    await dialog().getByLabel('Name of the file').fill('a/b');
    await dialog().getByLabel('Text').fill('Speak like a pirate.');
    await dialog().getByRole('button', { name: 'Save' }).click();
    await dialog().getByRole('alert').waitFor();
    await dialog().getByLabel('Name of the file').fill('pirate');
    await dialog().getByRole('button', { name: 'Save' }).click();
    await dialog().getByText('4 words').waitFor();
    await dialog().getByRole('button', { name: 'Edit pirate.md' }).click();
    await dialog().getByLabel('Text').fill('Speak like an old pirate.');
    await dialog().getByRole('button', { name: 'Save' }).click();
    await dialog().getByRole('button', { name: 'Use pirate.md in this chat' }).click();
    await dialog().getByText('used here').waitFor();
    await close();
    const [used] = await web.server.messages(id);
    expect(used).toMatchObject({ content: 'Speak like an old pirate.', source_file: 'pirate.md' });
    await web.page.getByRole('button', { name: 'More' }).click();
    await web.page.getByRole('menuitem', { name: 'System prompt: pirate.md' }).click();
    await dialog().getByRole('button', { name: 'Take it out' }).click();
    await dialog().getByText('No system prompt').waitFor();
    expect(await web.textsOf(id)).toEqual([]);
    // The browser asks first; here it is told no, then yes.
    web.page.removeAllListeners('dialog');
    for (const answer of ['dismiss', 'accept'] as const) {
      web.page.once('dialog', (question) => void question[answer]());
      await dialog().getByRole('button', { name: 'Delete pirate.md' }).click();
    }
    await dialog().getByText('No files yet').waitFor();
    expect((await web.server.get('/system-prompts')).body.prompts).toEqual([]);
  });

  it('begins a conversation under the prompt that was chosen for it', async () => {
    await web.server.post('/system-prompts', { filename: 'short.md', content: 'One word.' });
    await web.open();
    await openFromSidebar('Prompts');
    await dialog().getByRole('button', { name: 'Use short.md' }).click();
    await dialog().getByText('used here').waitFor();
    await close();
    await web.say('Hello');
    await expect.poll(() => web.answers().count()).toBe(1);
    expect(lastRequest().messages[0]).toEqual({ role: 'system', content: 'One word.' });
  });
});

const DOT = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
