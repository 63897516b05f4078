// Commands about how it is answered: model, system prompt, options, thinking.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { EngineOptions, PromptListItem } from '../../client/index.ts';
import { decodeText, withoutMark } from '../../kit/decode-text.ts';
import { showLine } from '../../kit/show-controls.ts';
import { resolvePath } from '../resolve-path.ts';
import { say } from '../terminal.ts';
import { type ChatPlace, pickOne } from './chat-place.ts';

export async function setModel(place: ChatPlace, name: string): Promise<void> {
  const { conversation, isTerminal } = place;
  const { mochi } = conversation;
  if (name !== '') return useModel(place, name);
  const { models } = await mochi.models.list();
  if (!isTerminal) {
    for (const { name: known } of models)
      say(`${known === conversation.model ? '*' : ' '} ${showLine(known)}\n`);
    return;
  }
  const picked = await pickOne(place, {
    what: 'Model',
    items: models,
    labelOf: ({ name: known }) => known,
    isCurrent: ({ name: known }) => known === conversation.model,
  });
  if (picked !== null) await useModel(place, picked.name);
}

async function useModel({ conversation }: ChatPlace, name: string): Promise<void> {
  const { model } = await conversation.mochi.sessions.update(conversation.sessionId, { model: name });
  conversation.model = model;
  say(`${conversation.description}.\n`);
}

/** A file of the server's prompts, a file on this machine, or `none`. */
export async function setPrompt(place: ChatPlace, name: string): Promise<void> {
  const { mochi, sessionId } = place.conversation;
  if (name === 'none') {
    await mochi.sessions.clearPrompt(sessionId);
    return say('No system prompt from now on.\n');
  }
  const { prompts } = await mochi.prompts.list();
  if (name === '') {
    const picked = await pickPrompt(place, prompts);
    if (picked !== null) await usePrompt(place, picked.filename);
    return;
  }
  const known = prompts.find(({ filename }) => filename === name || filename === `${name}.md`);
  if (known !== undefined) return usePrompt(place, known.filename);
  const path = resolvePath(name);
  const bytes = await readFile(path).catch(() => null);
  const text = bytes === null ? null : decodeText(bytes);
  if (text === null)
    return say(`There is no prompt ${name}, and no text file of that name here. /prompt lists them.\n`);
  await mochi.sessions.setPrompt(sessionId, { content: withoutMark(text), source_file: basename(path) });
  say(`The system prompt is ${basename(path)} from now on.\n`);
}

async function pickPrompt(
  place: ChatPlace,
  prompts: readonly PromptListItem[],
): Promise<PromptListItem | null> {
  const { mochi, sessionId } = place.conversation;
  const { system_prompt_file: current } = await mochi.sessions.status(sessionId);
  if (prompts.length === 0) {
    say('The server has no files of prompts. /prompt FILE takes one from this machine.\n');
    return null;
  }
  return pickOne(place, {
    what: 'Prompt',
    items: prompts,
    labelOf: ({ filename, preview }) => `${filename}  ${preview}`,
    isCurrent: ({ filename }) => filename === current,
  });
}

async function usePrompt({ conversation: { mochi, sessionId } }: ChatPlace, filename: string): Promise<void> {
  await mochi.sessions.setPrompt(sessionId, { source_file: filename });
  say(`The system prompt is ${filename} from now on.\n`);
}

type Kind = 'number' | 'whole' | 'yes or no' | 'texts';

/** Options of the engine, by their names on the wire. */
export const OPTIONS: Readonly<Record<string, Kind>> = {
  temperature: 'number',
  top_p: 'number',
  top_k: 'whole',
  min_p: 'number',
  typical_p: 'number',
  seed: 'whole',
  num_predict: 'whole',
  num_ctx: 'whole',
  stop: 'texts',
  repeat_last_n: 'whole',
  repeat_penalty: 'number',
  presence_penalty: 'number',
  frequency_penalty: 'number',
  num_keep: 'whole',
  num_batch: 'whole',
  num_gpu: 'whole',
  main_gpu: 'whole',
  num_thread: 'whole',
  draft_num_predict: 'whole',
  use_mmap: 'yes or no',
};

export function setOption({ conversation }: ChatPlace, rest: string): void {
  const [, name = '', value = ''] = /^(\S*)\s*(.*)$/s.exec(rest) ?? [];
  if (name === '') return showOptions(conversation.engineOptions);
  const kind = OPTIONS[name];
  if (kind === undefined)
    return say(`There is no option ${name}. There are ${Object.keys(OPTIONS).join(', ')}.\n`);
  if (value === '' || value === 'default') {
    const { [name]: _old, ...others } = conversation.engineOptions;
    conversation.engineOptions = others;
    return say(`${name} is as the model has it.\n`);
  }
  const read = readValue(kind, value);
  if (read === null) return say(`${name} must be ${WORDS[kind]}.\n`);
  conversation.engineOptions = { ...conversation.engineOptions, [name]: read };
  say(`${name} is ${JSON.stringify(read)} from now on, as long as this command runs.\n`);
}

const WORDS: Readonly<Record<Kind, string>> = {
  number: 'a number',
  whole: 'a whole number',
  'yes or no': 'true or false',
  texts: 'a text, or several with commas between them',
};

function readValue(kind: Kind, value: string): number | boolean | string[] | null {
  if (kind === 'texts') return value.split(',');
  if (kind === 'yes or no') return value === 'true' ? true : value === 'false' ? false : null;
  const number = Number(value);
  return !Number.isFinite(number) || (kind === 'whole' && !Number.isInteger(number)) ? null : number;
}

function showOptions(options: EngineOptions): void {
  const set = Object.entries(options);
  if (set.length === 0) return say('Everything is as the model has it. /set temperature 0.2 changes it.\n');
  for (const [name, value] of set) say(`${name}  ${JSON.stringify(value)}\n`);
  say('/set NAME default takes one back.\n');
}

export const LEVELS = ['on', 'off', 'low', 'medium', 'high'] as const;

export function setThink({ conversation }: ChatPlace, level: string): void {
  if (level === 'on' || level === 'off') conversation.think = level === 'on';
  else if (level === 'low' || level === 'medium' || level === 'high') conversation.think = level;
  else if (level !== '') return say(`/think takes ${LEVELS.join(', ')}.\n`);
  const { think } = conversation;
  const words = think === false ? 'does not think' : think === true ? 'thinks' : `thinks (${think})`;
  say(`The model ${words} before it answers${think === false ? '' : ', where it can'}.\n`);
}
