// Tools that write lines, each with its key and the number of the attempt, and that end their server where
// `kill-here.txt` says so; and a model that calls what it is told to.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RequestBody } from '../fake-ollama/chat-request.ts';
import { type ChatScript, text, toolCalls } from '../fake-ollama/chat-script.ts';

export const MODEL = { name: 'strict:latest', capabilities: ['completion', 'tools'], strictTemplate: true };

const SOURCE = `
import { appendFileSync, readFileSync, rmSync } from 'node:fs';
const inputSchema = { type: 'object', required: ['key'], properties: { key: { type: 'string' } } };

async function killed(where) {
  let wanted = '';
  try { wanted = readFileSync('kill-here.txt', 'utf8'); } catch {}
  if (wanted !== where) return;
  rmSync('kill-here.txt');
  process.kill(process.ppid, 'SIGKILL');
  await new Promise(() => setInterval(() => {}, 1000));
}

async function execute({ key }, { attempt }) {
  await killed('tool-before');
  appendFileSync('lines.txt', key + ' ' + attempt + '\\n');
  await killed('tool-after');
  return 'wrote ' + key;
}

export const write = { description: 'Writes.', inputSchema, execute };
export const ask = { description: 'Writes when it may.', inputSchema, needsApproval: true, execute };
export const look = { description: 'Looks.', inputSchema, readOnly: true, execute };
`;

/** @param folder of the group */
export function writeTools(dataDir: string, folder = join(dataDir, 'tools', 'ledger')): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.mjs'), SOURCE);
}

/** The next run of a tool ends the server. */
export function killInTool(dataDir: string, where: 'tool-before' | 'tool-after'): void {
  writeFileSync(join(dataDir, 'kill-here.txt'), where);
}

const CALL = /\b(write|ask|look) (\w+)/g;

export function callsTools({ messages = [] }: RequestBody): ChatScript {
  const last = messages.at(-1);
  const asked = last?.role === 'user' ? [...(last.content ?? '').matchAll(CALL)] : [];
  if (asked.length === 0) return text('Well then.');
  return toolCalls(asked.map(([, name = '', key = ''], index) => ({ name, args: { key }, id: `c${index}` })));
}
