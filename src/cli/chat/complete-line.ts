// What Tab makes of a line: commands and what they take, and the names of files behind `@`.
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { resolvePath } from '../resolve-path.ts';
import type { ChatPlace } from './chat-place.ts';
import { COMMANDS } from './commands.ts';
import { LEVELS, OPTIONS } from './setting-commands.ts';

/** So many sessions are offered. */
const SESSIONS = 30;

/** @returns what the word that is being typed may become, and that word */
export async function completeLine(place: ChatPlace, line: string): Promise<[string[], string]> {
  const file = /(?:^|\s)@(\S*)$/.exec(line)?.[1];
  if (file !== undefined) return [(await listFiles(file)).map((path) => `@${path}`), `@${file}`];
  const [, name, word = ''] = /^\/(\w*)\s+(\S*)$/.exec(line) ?? [];
  if (name !== undefined) return [beginning(await listWords(place, name, word), word), word];
  if (!/^\/\w*$/.test(line)) return [[], line];
  const commands = Object.entries(COMMANDS).map(
    ([known, { takes }]) => `/${known}${takes === '' ? '' : ' '}`,
  );
  return [beginning(commands, line), line];
}

async function listWords(
  { conversation: { mochi } }: ChatPlace,
  command: string,
  word: string,
): Promise<readonly string[]> {
  switch (command) {
    case 'model':
      return (await mochi.models.list()).models.map(({ name }) => name);
    case 'use':
      return (await mochi.sessions.list({ limit: SESSIONS })).sessions.map(({ session_id: id }) => id);
    case 'prompt': {
      const { prompts } = await mochi.prompts.list();
      return ['none', ...prompts.map(({ filename }) => filename), ...(await listFiles(word))];
    }
    case 'export':
      return listFiles(word);
    case 'set':
      return Object.keys(OPTIONS).map((option) => `${option} `);
    case 'think':
      return LEVELS;
    case 'show':
      return ['on', 'off'];
    default:
      return [];
  }
}

function beginning(words: readonly string[], start: string): string[] {
  return words.filter((word) => word.startsWith(start));
}

/** Paths as they were begun; folders end in `/`. */
async function listFiles(begun: string): Promise<string[]> {
  const folder = begun.endsWith('/') ? begun : dirname(begun);
  const start = begun.endsWith('/') || begun === '' ? '' : basename(begun);
  const before = begun.includes('/')
    ? begun.endsWith('/')
      ? begun
      : `${begun.slice(0, begun.lastIndexOf('/'))}/`
    : '';
  const entries = await readdir(resolvePath(begun === '' ? '.' : folder), { withFileTypes: true }).catch(
    () => [],
  );
  return entries
    .filter((entry) => entry.name.startsWith(start) && (start.startsWith('.') || !entry.name.startsWith('.')))
    .map((entry) => join(before, entry.name) + (entry.isDirectory() ? '/' : ''))
    .filter((path) => !/\s/.test(path))
    .sort();
}
