// System prompt files: list, read, create, update, delete.
import { MochiError } from '../contract/errors.ts';
import type { Prompt, PromptListItem } from '../contract/prompt.ts';
import { withoutMark } from '../kit/decode-text.ts';
import { findEntry, type PromptFiles } from './prompt-files.ts';
import { checkPromptName, foldName, shownName } from './prompt-name.ts';

/** What cannot be read. */
const NO_PROMPT =
  'is there, but is no system prompt: a link that leads outside, a folder, larger than 1 MiB, not readable, or neither UTF-8 nor UTF-16 with its mark';

/** Sorted by name; what cannot be read is left out. @throws MochiError session_load_error */
export async function listPrompts(files: PromptFiles): Promise<PromptListItem[]> {
  const prompts: PromptListItem[] = [];
  for (const entry of await files.list()) {
    const content = await files.read(entry);
    if (content === null) continue;
    prompts.push({ filename: entry, preview: previewOf(content), word_count: countWords(content) });
  }
  return prompts;
}

/** @throws MochiError invalid_filename, prompt_not_found, session_load_error */
export async function readPrompt(files: PromptFiles, name: string): Promise<Prompt> {
  checkPromptName(name);
  const entry = findEntry(await files.list(), name);
  const content = entry === null ? null : await files.read(entry);
  if (entry === null || content === null) {
    const filename = shownName(name);
    const message =
      entry === null ? `There is no system prompt file ${filename}.` : `${filename} ${NO_PROMPT}.`;
    throw new MochiError('prompt_not_found', message, { filename });
  }
  return { filename: entry, content };
}

/** @throws MochiError invalid_filename, prompt_exists, session_load_error, session_save_error */
export async function createPrompt(files: PromptFiles, prompt: Prompt): Promise<Prompt> {
  checkPromptName(prompt.filename);
  return files.change((own) => create(own, prompt));
}

/** Never creates. @throws MochiError invalid_filename, prompt_not_found, session_load_error, session_save_error */
export async function updatePrompt(files: PromptFiles, prompt: Prompt): Promise<Prompt> {
  checkPromptName(prompt.filename);
  return files.change(async (own) => {
    const { filename } = await readPrompt(own, prompt.filename);
    return replace(own, { ...prompt, filename });
  });
}

/** Creates or updates. @throws MochiError invalid_filename, prompt_exists, session_load_error, session_save_error */
export async function savePrompt(
  files: PromptFiles,
  prompt: Prompt,
): Promise<{ readonly prompt: Prompt; readonly isNew: boolean }> {
  checkPromptName(prompt.filename);
  return files.change(async (own) => {
    const entry = findEntry(await own.list(), prompt.filename);
    // What is there but no prompt, such as a link that leads outside, is not written over.
    if (entry === null || (await own.read(entry)) === null) {
      return { prompt: await create(own, prompt), isNew: true };
    }
    return { prompt: await replace(own, { ...prompt, filename: entry }), isNew: false };
  });
}

/** @throws MochiError invalid_filename, prompt_not_found, session_load_error, session_save_error */
export async function deletePrompt(files: PromptFiles, name: string): Promise<void> {
  checkPromptName(name);
  await files.change(async (own) => {
    const { filename } = await readPrompt(own, name);
    await own.remove(filename);
  });
}

/** New files have names in form NFC, and none that another file system would take for the name of an old one. */
async function create(files: PromptFiles, { filename, content: given }: Prompt): Promise<Prompt> {
  const name = filename.normalize('NFC');
  const content = withoutMark(given);
  const taken = (await files.list()).find((entry) => foldName(entry) === foldName(name));
  if (taken !== undefined) throw exists(name, taken, (await files.read(taken)) !== null);
  if (!(await files.create(name, content))) throw exists(name, name, true);
  return { filename: name, content };
}

async function replace(files: PromptFiles, { filename, content }: Prompt): Promise<Prompt> {
  const prompt = { filename, content: withoutMark(content) };
  await files.replace(prompt.filename, prompt.content);
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
