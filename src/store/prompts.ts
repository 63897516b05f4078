// System prompt files: list, read, create, update, delete. Writes to a folder happen one after another.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MochiError } from '../contract/errors.ts';
import type { Prompt, PromptListItem } from '../contract/prompt.ts';
import { syncFolder, writeAtomically } from '../kit/atomic-file.ts';
import { withoutMark } from '../kit/decode-text.ts';
import { oneAtATime } from '../kit/one-at-a-time.ts';
import { makePrivateFolder } from '../kit/private-files.ts';
import { findEntry, listEntries, readEntry } from './prompt-folder.ts';
import { checkPromptName, foldName, shownName } from './prompt-name.ts';

/** What `readEntry` cannot read. */
const NO_PROMPT =
  'is there, but is no system prompt: a link that leads outside, a folder, larger than 1 MiB, not readable, or neither UTF-8 nor UTF-16 with its mark';

/** Sorted by name; what cannot be read is left out. @throws MochiError session_load_error */
export async function listPrompts(folder: string): Promise<PromptListItem[]> {
  const prompts: PromptListItem[] = [];
  for (const entry of await entriesOf(folder)) {
    const content = await readEntry(folder, entry);
    if (content === null) continue;
    prompts.push({ filename: entry, preview: previewOf(content), word_count: countWords(content) });
  }
  return prompts;
}

/** @throws MochiError invalid_filename, prompt_not_found, session_load_error */
export async function readPrompt(folder: string, name: string): Promise<Prompt> {
  checkPromptName(name);
  const entry = findEntry(await entriesOf(folder), name);
  const content = entry === null ? null : await readEntry(folder, entry);
  if (entry === null || content === null) {
    const filename = shownName(name);
    const message =
      entry === null ? `There is no system prompt file ${filename}.` : `${filename} ${NO_PROMPT}.`;
    throw new MochiError('prompt_not_found', message, { filename });
  }
  return { filename: entry, content };
}

/** @throws MochiError invalid_filename, prompt_exists, session_load_error, session_save_error */
export async function createPrompt(folder: string, prompt: Prompt): Promise<Prompt> {
  checkPromptName(prompt.filename);
  return oneAtATime(folder, () => create(folder, prompt));
}

/** Never creates. @throws MochiError invalid_filename, prompt_not_found, session_load_error, session_save_error */
export async function updatePrompt(folder: string, prompt: Prompt): Promise<Prompt> {
  checkPromptName(prompt.filename);
  return oneAtATime(folder, async () => {
    const { filename } = await readPrompt(folder, prompt.filename);
    return replace(folder, { ...prompt, filename });
  });
}

/** Creates or updates. @throws MochiError invalid_filename, prompt_exists, session_load_error, session_save_error */
export async function savePrompt(
  folder: string,
  prompt: Prompt,
): Promise<{ readonly prompt: Prompt; readonly isNew: boolean }> {
  checkPromptName(prompt.filename);
  return oneAtATime(folder, async () => {
    const entry = findEntry(await entriesOf(folder), prompt.filename);
    // What is there but no prompt, such as a link that leads outside, is not written over.
    if (entry === null || (await readEntry(folder, entry)) === null) {
      return { prompt: await create(folder, prompt), isNew: true };
    }
    return { prompt: await replace(folder, { ...prompt, filename: entry }), isNew: false };
  });
}

/** Of a link the link goes, not what it leads to. @throws MochiError invalid_filename, prompt_not_found, session_load_error, session_save_error */
export async function deletePrompt(folder: string, name: string): Promise<void> {
  checkPromptName(name);
  await oneAtATime(folder, async () => {
    const { filename } = await readPrompt(folder, name);
    await saving(async () => {
      await rm(join(folder, filename), { force: true });
      await syncFolder(folder);
    });
  });
}

/** New files have names in form NFC, and none that another file system would take for the name of an old one. */
async function create(folder: string, { filename, content: given }: Prompt): Promise<Prompt> {
  const name = filename.normalize('NFC');
  const content = withoutMark(given);
  const taken = (await entriesOf(folder)).find((entry) => foldName(entry) === foldName(name));
  if (taken !== undefined) throw exists(name, taken, (await readEntry(folder, taken)) !== null);
  await saving(async () => {
    makePrivateFolder(folder);
    await writeAtomically(join(folder, name), 'create', (file) => file.writeFile(content)).catch(
      (error: NodeJS.ErrnoException) => {
        // Another program was quicker.
        throw error.code === 'EEXIST' ? exists(name, name, true) : error;
      },
    );
  });
  return { filename: name, content };
}

async function replace(folder: string, { filename, content }: Prompt): Promise<Prompt> {
  const prompt = { filename, content: withoutMark(content) };
  await saving(() =>
    writeAtomically(join(folder, prompt.filename), 'replace', (file) => file.writeFile(prompt.content)),
  );
  return prompt;
}

function exists(filename: string, existing: string, isPrompt: boolean): MochiError {
  const message = isPrompt
    ? `There is a system prompt file ${filename} already. Change it with PUT.`
    : `${existing} ${NO_PROMPT}. Move it away, or choose another name.`;
  return new MochiError(
    'prompt_exists',
    filename === existing || !isPrompt
      ? message
      : `${filename} differs from ${existing} only in letter case. Choose another name, or change that file.`,
    { filename, existing },
  );
}

async function entriesOf(folder: string): Promise<string[]> {
  return listEntries(folder).catch((error: NodeJS.ErrnoException) => {
    throw new MochiError('session_load_error', 'The folder of system prompts cannot be read.', {
      reason: String(error.code).toLowerCase(),
    });
  });
}

async function saving(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (error instanceof MochiError || !(error instanceof Error && 'code' in error)) throw error;
    throw new MochiError(
      'session_save_error',
      'The system prompt could not be written: the disk is full, or the folder may not be written. Nothing was changed.',
      { reason: String(error.code).toLowerCase() },
    );
  }
}

/** Longest preview in code points (ORIGINAL.md §7). */
const PREVIEW_LENGTH = 250;

function previewOf(content: string): string {
  // A code point takes at most two units, so this slice is enough.
  const points = Array.from(content.slice(0, 2 * PREVIEW_LENGTH + 2));
  if (points.length <= PREVIEW_LENGTH) return content;
  return `${points
    .slice(0, PREVIEW_LENGTH - 3)
    .join('')
    .trimEnd()}...`;
}

function countWords(content: string): number {
  return content.match(/\S+/g)?.length ?? 0;
}
