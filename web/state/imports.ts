// Files that somebody has handed over: conversations of this server, or of the original one.
import { signal } from '@preact/signals';
import { type ImportAnswer, isMochiError } from '../../src/client/index.ts';
import { t } from '../lang/text.ts';
import { mochi } from './server.ts';
import { refreshSessions } from './sessions.ts';

export interface ImportedFile {
  readonly name: string;
  /** Null: it is being read. */
  readonly answer: ImportAnswer | null;
  /** Why nothing of it was imported; null: nothing went wrong. */
  readonly fault: string | null;
}

/** The newest last. */
export const imports = signal<readonly ImportedFile[]>([]);

let last: Promise<unknown> = Promise.resolve();

/** One after the other: each tells for itself what became of it. */
export function importFiles(files: Iterable<File>): Promise<void> {
  const places = [...files].map((file) => ({ file, at: add(file.name) }));
  const done = last.then(async () => {
    for (const { file, at } of places) tell(at, await importFile(file));
    await refreshSessions();
  });
  last = done.catch(() => undefined);
  return done;
}

function add(name: string): number {
  imports.value = [...imports.value, { name, answer: null, fault: null }];
  return imports.value.length - 1;
}

function tell(at: number, outcome: Partial<ImportedFile>): void {
  imports.value = imports.value.map((file, index) => (index === at ? { ...file, ...outcome } : file));
}

async function importFile(file: File): Promise<Partial<ImportedFile>> {
  const text = await file.text().catch(() => null);
  if (text === null) return { fault: t.import.unreadable };
  if (text.trim() === '') return { fault: t.import.empty };
  if (!isJson(text)) return { fault: t.import.noJson };
  try {
    return { answer: await mochi.sessions.import(text) };
  } catch (error) {
    if (!isMochiError(error)) throw error;
    return { fault: error.message };
  }
}

/** As a whole, or line by line: what is wrong with a line is the server's to say. */
function isJson(text: string): boolean {
  const [first = ''] = text.trim().split('\n', 1);
  return isParsed(first) || isParsed(text);
}

function isParsed(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
