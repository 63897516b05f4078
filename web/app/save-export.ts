// A conversation as a file for the person: what the server exports, or Markdown made here.
import { t } from '../lang/text.ts';
import { firstWords } from '../state/names.ts';
import { attempt, mochi } from '../state/server.ts';

/** How long a browser may take to begin with the file. */
const KEPT_MS = 60_000;

export async function saveExport(sessionId: string, format: 'json' | 'jsonl' | 'markdown'): Promise<void> {
  await attempt(async () => {
    const file =
      format === 'markdown'
        ? new Blob([await markdownOf(sessionId)], { type: 'text/markdown' })
        : await (await mochi.sessions.export(sessionId, format)).blob();
    save(file, `${sessionId}.${format === 'markdown' ? 'md' : format}`);
  });
}

async function markdownOf(sessionId: string): Promise<string> {
  const session = await mochi.sessions.get(sessionId);
  const { messages } = await mochi.messages.list(sessionId);
  const title = session.title ?? firstWords(messages) ?? t.untitled;
  const parts = messages
    .filter(({ content }) => content.trim() !== '')
    .map(({ role, model, content }) => {
      const names = { user: t.you, assistant: model ?? t.name, tool: t.tool, system: t.system };
      return `## ${names[role]}\n\n${content.trim()}\n`;
    });
  return [`# ${title}\n`, ...parts].join('\n');
}

function save(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), KEPT_MS);
}
