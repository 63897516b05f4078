// Commands about what was said.
import { type Message, MochiError, type Sibling } from '../../client/index.ts';
import { processEnvironment } from '../../config.ts';
import { showLine } from '../../kit/show-controls.ts';
import { AttachError, attachNamed, withAttachments } from '../attach-files.ts';
import { LiveText } from '../render/live-text.ts';
import { copyText, say, sayDim } from '../terminal.ts';
import { type ChatPlace, pickOne } from './chat-place.ts';
import { EditorError, editText } from './edit-text.ts';
import { previewText, receiptText } from './receipt-text.ts';

/** With the files that it names. */
export async function sayMessage({ conversation }: ChatPlace, text: string): Promise<void> {
  const body = await readFiles(text);
  if (body !== null) await conversation.ask(body);
}

/** @returns null after it was said why not */
async function readFiles(
  text: string,
): Promise<{ readonly message: string; readonly images?: string[] } | null> {
  try {
    const { attachments, missing } = await attachNamed(text);
    for (const path of missing) sayDim(`(there is no file ${showLine(path)})\n`);
    for (const { name } of attachments) sayDim(`(with ${showLine(name)})\n`);
    const { message, images } = withAttachments(text, attachments);
    return { message, ...(images.length > 0 && { images: [...images] }) };
  } catch (error) {
    if (!(error instanceof AttachError)) throw error;
    say(`${error.message}\n`);
    return null;
  }
}

export async function regenerate({ conversation }: ChatPlace): Promise<void> {
  await conversation.ask({ message: null });
}

export async function goOn({ conversation }: ChatPlace): Promise<void> {
  await conversation.ask({ message: null, mode: 'continue' });
}

/** Without a text, the old one stands in the line. */
export async function editLast(place: ChatPlace, text: string): Promise<void> {
  const { conversation, isTerminal } = place;
  const last = (await listPath(place)).findLast(({ role }) => role === 'user');
  if (last === undefined)
    throw new MochiError({ code: 'empty_history', message: 'There is no message to edit yet.' });
  if (text === '' && isTerminal) {
    place.draft = `/edit ${last.content}`;
    return;
  }
  if (text === '') return say('Say what the message is to be: /edit TEXT\n');
  const body = await readFiles(text);
  if (body !== null) await conversation.ask({ ...body, replaces: last.message_id });
}

async function listPath({ conversation: { mochi, sessionId } }: ChatPlace): Promise<readonly Message[]> {
  return (await mochi.messages.list(sessionId, { images: 'omit' })).messages;
}

/** Where the conversation has several versions: lists them, and shows another. */
export async function switchBranch(place: ChatPlace): Promise<void> {
  const { mochi, sessionId } = place.conversation;
  const forks = (await listPath(place)).filter(({ sibling_count: count }) => count > 1);
  if (forks.length === 0)
    return say('There is one version of this conversation. /edit and /regenerate make others.\n');
  const versions: Version[] = [];
  for (const fork of forks) {
    const siblings = await mochi.messages.siblings(sessionId, fork.message_id);
    const isShown = ({ message_id: id }: Sibling) => id === fork.message_id;
    versions.push(
      ...siblings.map((sibling, index) => ({
        sibling,
        place: `${index + 1} of ${siblings.length}`,
        isShown: isShown(sibling),
      })),
    );
  }
  const picked = await pickOne(place, {
    what: 'Version',
    items: versions,
    labelOf: versionText,
    isCurrent: ({ isShown }) => isShown,
  });
  if (picked === null || picked.isShown) return;
  await mochi.sessions.setHead(sessionId, { message_id: picked.sibling.message_id, descend: true });
  await place.conversation.resume();
}

interface Version {
  readonly sibling: Sibling;
  readonly place: string;
  readonly isShown: boolean;
}

function versionText({ sibling: { role, preview, model }, place }: Version): string {
  const who = role === 'user' ? 'you' : (model ?? role);
  return `${place}  ${who}: ${preview === '' ? '(nothing)' : preview}`;
}

export async function showContext({ conversation: { mochi, sessionId, think } }: ChatPlace): Promise<void> {
  const { context } = await mochi.sessions.status(sessionId);
  if (context === null)
    return say('No model has read this conversation yet. /preview shows what one would be sent.\n');
  say(receiptText(context));
  if (think !== false) say(`think  ${String(think)}\n`);
}

export async function showPreview({ conversation }: ChatPlace, text: string): Promise<void> {
  const { mochi, sessionId } = conversation;
  const body = text === '' ? { message: null } : await readFiles(text);
  if (body === null) return;
  say(previewText(await mochi.chat.preview(sessionId, conversation.bodyOf(body))));
}

/** The last answer, or the one before it. */
export async function copyAnswer(place: ChatPlace, which: string): Promise<void> {
  const back = which === '' ? 1 : Number(which);
  if (!Number.isInteger(back) || back < 1)
    return say('/copy takes the last answer, /copy 2 the one before.\n');
  const answers = (await listPath(place)).filter(
    ({ role, content }) => role === 'assistant' && content !== '',
  );
  const answer = answers.at(-back);
  if (answer === undefined)
    return say(`There ${answers.length === 1 ? 'is one answer' : `are ${answers.length} answers`} here.\n`);
  copyText(answer.content);
  say(`Copied: ${answer.content.length} characters, if this terminal lets programs copy.\n`);
}

/** The next message in an editor; it then stands in the line. */
export async function openEditor(place: ChatPlace, text: string): Promise<void> {
  const edited = await withEditor(place, text);
  if (edited !== null) place.draft = edited;
}

/** @returns null after it was said why not */
export async function withEditor({ lines }: ChatPlace, text: string): Promise<string | null> {
  lines.pause();
  if (process.stdin.isTTY) process.stdin.setRawMode(false);
  try {
    return await editText(text, processEnvironment());
  } catch (error) {
    if (!(error instanceof EditorError)) throw error;
    say(`${error.message}\n`);
    return null;
  } finally {
    if (process.stdin.isTTY) process.stdin.setRawMode(true);
    lines.resume();
  }
}

export function showThoughts({ conversation }: ChatPlace, what: string): void {
  if (what === 'on' || what === 'off') {
    conversation.look = { ...conversation.look, showsThoughts: what === 'on' };
    return say(what === 'on' ? 'Thoughts are shown from now on.\n' : 'Thoughts are folded from now on.\n');
  }
  if (conversation.thoughts === '')
    return say('The last answer has no thoughts. /think on asks for some, where the model can.\n');
  if (!conversation.look.isMarkdown) return say(`${conversation.thoughts.trimEnd()}\n`);
  const text = new LiveText();
  text.write(conversation.thoughts.trim());
  text.end();
}
